//! `scheduler`: share SQL among executors and stay until told to stop.

use std::net::SocketAddr;
use std::process::ExitCode;

use bedplate_query::Scheduler as Work;
use bedplate_types::{ErrorKind, Problem};
use clap::Args;
use tokio::net::TcpListener;

use super::up::Stop;
use crate::listen;
use crate::tls::Protection;

/// Share SQL among executors: bedplate scheduler --bind 127.0.0.1:50050
#[derive(Debug, Args)]
pub struct Scheduler {
    /// Where executors and platforms find it; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:50050", value_name = "ADDR")]
    pub bind: SocketAddr,
    /// The name by which executors find it, where --bind is all addresses of the machine.
    #[arg(long, value_name = "HOST")]
    pub advertise: Option<String>,
    /// Listen beyond this machine. Ballista has no TLS and asks nobody who they are: only in a network of its own.
    #[arg(long)]
    pub insecure_plaintext: bool,
}

pub async fn run(command: &Scheduler) -> Result<ExitCode, Problem> {
    let stop = Stop::heed()?;
    let host = name("--bind", command.bind, command.advertise.as_deref())?
        .ok_or_else(|| nameless(command.bind, "executors"))?;
    let listener = bind(command.bind, "--bind", command.insecure_plaintext).await?;
    let port = port(&listener)?;
    eprintln!("bedplate scheduler is up on ballista://{host}:{port}");
    eprintln!("  executors  bedplate executor --scheduler {host}:{port} --data DIR");
    eprintln!("  platforms  bedplate up --engine ballista://{host}:{port}");
    eprintln!("ready");
    let told = async {
        stop.told().await;
        eprintln!("stopping");
    };
    let ended = Work { host, port }.run(listener, told).await;
    ended.map_err(|error| Problem::of("the scheduler", &error))?;
    Ok(ExitCode::SUCCESS)
}

/// Binds a listener of the cluster, whose protocol knows neither TLS nor who asks.
pub async fn bind(addr: SocketAddr, option: &str, insecure: bool) -> Result<TcpListener, Problem> {
    if !addr.ip().is_loopback() && !insecure {
        let why =
            "others could read data and have plans of theirs run: Ballista has no TLS and asks nobody who they are";
        let fix = format!("use {option} 127.0.0.1:{}, or --insecure-plaintext in a network of its own", addr.port());
        return Err(Problem::new(ErrorKind::Refused, format!("listening on {addr}"), why).with_fix(fix));
    }
    listen::bind(addr, option, Protection::Insecure).await
}

pub fn port(listener: &TcpListener) -> Result<u16, Problem> {
    let addr = listener.local_addr();
    let addr = addr.map_err(|error| Problem::new(ErrorKind::Internal, "a listener's address", error.to_string()))?;
    Ok(addr.port())
}

/// By which name others find it; none when it is only known that it is one of all the machine's.
pub fn name(option: &str, addr: SocketAddr, advertised: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(name) = advertised else {
        let host = if addr.is_ipv6() { format!("[{}]", addr.ip()) } else { addr.ip().to_string() };
        return Ok((!addr.ip().is_unspecified()).then_some(host));
    };
    let wrong = |_| {
        let why = format!("{name:?} is no host; the port is that of {option}");
        Problem::new(ErrorKind::Invalid, "--advertise", why).with_fix("--advertise scheduler.data.svc")
    };
    bedplate_query::Cluster::at(&format!("{name}:1")).map_err(wrong)?;
    Ok(Some(name.to_owned()))
}

fn nameless(addr: SocketAddr, others: &str) -> Problem {
    let why = format!("{} is no address that {others} could go to", addr.ip());
    Problem::new(ErrorKind::Invalid, "--bind", why).with_fix("add --advertise HOST")
}
