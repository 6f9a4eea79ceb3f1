//! The commands, one file each.

pub mod apply;
pub mod approve;
mod audit;
pub mod audit_log;
mod backup;
pub mod certificate;
mod connect;
pub mod costs;
pub mod crds;
pub mod data;
mod delete;
mod describe;
pub mod doctor;
pub mod drift;
pub mod executor;
pub mod features;
mod get;
pub mod impact;
pub mod init;
pub mod login;
mod logout;
mod logs;
pub mod operator;
pub mod plan;
pub mod policy;
mod predict;
mod restore;
pub mod scheduler;
pub mod search;
pub mod sql;
pub mod test;
mod token;
mod trace;
mod tree;
mod up;

pub use apply::declare;
pub use backup::Backup;
pub use restore::Restore;

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bedplate_allocator::LettingGo;
use bedplate_types::{ErrorKind, Problem};
use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::{quickstart, worker};

pub fn run(cli: Cli) -> Result<ExitCode, Problem> {
    if let Command::Worker(command) = &cli.command {
        return worker::run(command);
    }
    if let Command::Completions { shell } = cli.command {
        clap_complete::generate(shell, &mut Cli::command(), "bedplate", &mut std::io::stdout());
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Crds(command) = &cli.command {
        return crds::run(command);
    }
    let home = home(cli.home)?;
    match cli.command {
        Command::Up(command) => wait(up::run(&home, &command)),
        Command::Operator(command) => wait(operator::run(&home, command)),
        Command::Scheduler(command) => wait(scheduler::run(&command)),
        Command::Executor(command) => wait(executor::run(&command)),
        Command::Quickstart(command) => wait(quickstart::run(&home, command)),
        Command::Plan(command) => wait(plan::run(&home, &command)),
        Command::Apply(command) => wait(apply::run(&home, &command)),
        Command::Drift(command) => wait(drift::run(&home, &command)),
        Command::Approve(command) => wait(approve::run(&home, &command)),
        Command::Test(command) => wait(test::run(&command)),
        Command::Init(command) => init::run(&command),
        Command::Get(command) => wait(get::run(&home, &command)),
        Command::Describe(command) => wait(describe::run(&home, &command)),
        Command::Delete(command) => wait(delete::run(&home, &command)),
        Command::Logs(command) => wait(logs::run(&home, &command)),
        Command::Predict(command) => wait(predict::run(&home, &command)),
        Command::Search(command) => wait(search::run(&home, &command)),
        Command::Sql(command) => wait(sql::run(&home, &command)),
        Command::Trace(command) => wait(trace::run(&home, &command)),
        Command::Impact(command) => wait(impact::run(&home, &command)),
        Command::Data(command) => wait(data::run(&home, &command)),
        Command::Features(command) => wait(features::run(&home, &command)),
        Command::Costs(command) => wait(costs::run(&home, &command)),
        Command::Audit(command) => wait(audit::run(&home, &command)),
        Command::Login(command) => wait(login::run(&home, &command)),
        Command::Logout => wait(logout::run(&home)),
        Command::Token(command) => wait(token::run(&home, &command)),
        Command::Policy(command) => wait(policy::run(&home, &command)),
        Command::Certificate(command) => wait(certificate::run(&home, &command)),
        Command::Backup(command) => wait(backup::run(&home, &command)),
        Command::Restore(command) => restore::run(&home, &command),
        Command::Doctor(command) => wait(doctor::run(&home, &command)),
        Command::Completions { .. } | Command::Crds(_) | Command::Worker(_) => Ok(ExitCode::SUCCESS),
    }
}

fn home(given: Option<PathBuf>) -> Result<PathBuf, Problem> {
    if let Some(home) = given {
        return Ok(home);
    }
    std::env::home_dir().map(|home| home.join(".bedplate")).ok_or_else(|| {
        Problem::new(ErrorKind::Invalid, "the home folder", "neither BEDPLATE_HOME nor HOME is set")
            .with_fix("bedplate --home DIR …")
    })
}

/// Runs a command on two threads for requests; heavy work has threads of its own.
fn wait(command: impl Future<Output = Result<ExitCode, Problem>>) -> Result<ExitCode, Problem> {
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    threads.worker_threads(2).max_blocking_threads(256).enable_all();
    let failed = |error: io::Error| Problem::new(ErrorKind::Internal, "starting", error.to_string());
    let _letting_go = LettingGo::start().map_err(failed)?;
    let runtime = bedplate_allocator::frugal(&mut threads).build().map_err(failed)?;
    let outcome = runtime.block_on(command);
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}
