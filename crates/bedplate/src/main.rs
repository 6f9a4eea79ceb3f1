//! The bedplate binary: the command line, the wiring of the platform, and the worker its workloads run in.
//!
//! Start with [`cli`] for what a person can ask and [`platform`] for what runs. This is the only crate that reads the
//! environment and the home folder, writes to the terminal, and opens engines.

#![expect(clippy::disallowed_methods, reason = "the binary is where the environment is read and processes end")]

mod backup;
mod cli;
mod cluster;
mod commands;
mod home;
mod keys;
mod kubeconfig;
mod listen;
mod oidc;
mod online;
mod platform;
mod prices;
mod quickstart;
mod rules;
mod storage;
mod surface;
mod tell;
mod tls;
mod worker;

use std::process::ExitCode;

use bedplate_allocator::Allocator;
use clap::Parser;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() -> ExitCode {
    bedplate_allocator::without_huge_pages();
    let cli = cli::Cli::parse();
    tell::start_log(cli.verbose);
    match commands::run(cli) {
        Ok(code) => code,
        Err(problem) => tell::problem(&problem),
    }
}
