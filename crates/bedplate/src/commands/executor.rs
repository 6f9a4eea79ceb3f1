//! `executor`: work on SQL for a scheduler and stay until told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bedplate_query::{Cluster, Executor as Work};
use bedplate_types::{ErrorKind, Problem};
use clap::Args;

use super::scheduler::{bind, name, port};
use super::up::Stop;

const MIB: u64 = 1 << 20;

/// Work on SQL for a scheduler: bedplate executor --scheduler 127.0.0.1:50050 --data ~/.bedplate/lake
#[derive(Debug, Args)]
pub struct Executor {
    /// Where the scheduler is: host:port.
    #[arg(long, value_name = "ADDR", value_parser = Cluster::at)]
    pub scheduler: Cluster,
    /// A folder it may read below: the lake of the platform, at the same path as there. May be given more than once.
    #[arg(long = "data", value_name = "DIR", required = true)]
    pub roots: Vec<PathBuf>,
    /// Where its results are fetched; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:50051", value_name = "ADDR")]
    pub bind: SocketAddr,
    /// Where the scheduler gives it work, on the address of --bind; 0 takes a free one.
    #[arg(long, default_value_t = 50052, value_name = "PORT")]
    pub task_port: u16,
    /// The name by which others find it. Left out: where its connection comes from.
    #[arg(long, value_name = "HOST")]
    pub advertise: Option<String>,
    /// How many parts of the work it does at once; one a processor when left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub slots: Option<u16>,
    /// MiB of memory for all of them together; beyond it they spill.
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(64..))]
    pub memory: u32,
    /// Listen beyond this machine. Ballista has no TLS and asks nobody who they are: only in a network of its own.
    #[arg(long)]
    pub insecure_plaintext: bool,
}

pub async fn run(command: &Executor) -> Result<ExitCode, Problem> {
    let was_told = Arc::new(AtomicBool::new(false));
    let (stop, heard) = (Stop::heed()?, was_told.clone());
    let listening = tokio::spawn(async move {
        stop.told().await;
        heard.store(true, Ordering::Release);
        eprintln!("stopping");
    });
    let work = work(command).await?;
    let (at, scheduler) = (format!("{}:{}", work.bind, work.port), work.scheduler.authority());
    let (slots, memory) = (work.slots, command.memory);
    let ended = work.run(move || {
        eprintln!("bedplate executor is up on {at} ({slots} slots, {memory} MiB)");
        eprintln!("  scheduler  {scheduler}");
        eprintln!("ready");
    });
    let ended = ended.await.map_err(|error| Problem::of("the executor", &error));
    listening.abort();
    ended?;
    match was_told.load(Ordering::Acquire) {
        true => Ok(ExitCode::SUCCESS),
        false => Err(Problem::new(ErrorKind::Internal, "the executor", "it ended though nobody told it to")),
    }
}

/// Both ports are looked at before they are handed on: who is in the way is said so.
async fn work(command: &Executor) -> Result<Work, Problem> {
    let host = match &command.advertise {
        Some(_) => name("--bind", command.bind, command.advertise.as_deref())?,
        None => None,
    };
    let results = bind(command.bind, "--bind", command.insecure_plaintext).await?;
    let tasks = SocketAddr::new(command.bind.ip(), command.task_port);
    let tasks = bind(tasks, "--task-port", command.insecure_plaintext).await?;
    Ok(Work {
        scheduler: command.scheduler.clone(),
        bind: match command.bind.ip() {
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
            ip @ std::net::IpAddr::V4(_) => ip.to_string(),
        },
        host,
        port: port(&results)?,
        task_port: port(&tasks)?,
        roots: command.roots.clone(),
        slots: command.slots.map_or_else(processors, usize::from),
        memory: u64::from(command.memory) * MIB,
    })
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
