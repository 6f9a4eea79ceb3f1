//! The project's own commands: `cargo xtask test`, `cargo xtask floors`, `cargo xtask reference`, `cargo xtask
//! bench quickstart`.
//!
//! `test` is the one test command: it sets up what a bare machine lacks (`setup`), runs every check (`checks`), and says
//! what it could not run. `floors` holds the rule of who may import whom. `reference`
//! writes what is told of the kinds. `bench` measures what the README promises.

#![expect(clippy::disallowed_methods, reason = "a tool of developers: it reads the environment")]

mod bench;
mod cargo;
mod checks;
mod floors;
mod idle;
mod reference;
mod setup;
mod tally;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Set up what is missing, then run fmt, clippy, deny and every test
    Test,
    /// Check that no crate imports one from a floor above it
    Floors,
    /// Write docs/reference and the chart's generated files from the kinds
    Reference,
    /// Measure against the limits the README promises
    Bench {
        /// A folder with bedplate and bedplate-benches, in place of a release build
        #[arg(long, value_name = "FOLDER")]
        built: Option<PathBuf>,
        #[command(subcommand)]
        what: Bench,
    },
}

#[derive(Subcommand)]
enum Bench {
    /// The quickstart from an empty home folder, `--help`, and an idle `up`; on SQLite and on PostgreSQL
    Quickstart {
        /// How many quickstarts; the median is shown
        #[arg(long, default_value_t = 1)]
        runs: usize,
    },
    /// Objects written, read, listed and watched, beside etcd (Debian's etcd-server)
    Control {
        /// How many objects are stored for the list and the memory
        #[arg(long, default_value_t = 100_000)]
        objects: usize,
    },
    /// Decisions of the policy, uncached and cached, at 10, 100 and 1,000 grants
    Policy,
    /// The point-in-time join of a million label rows, beside Polars and DuckDB; features read and pushed over HTTP, beside
    /// Feast's feature server on Redis (Debian's redis-server)
    Features {
        /// Rows of each of the three views; a fifth of that are label rows
        #[arg(long, default_value_t = 5_000_000)]
        rows: usize,
        /// Entities of each of the three views that are read over HTTP; a million rows in all
        #[arg(long, default_value_t = 333_333)]
        entities: usize,
    },
    /// A hundred million rows become a Delta table, judged on the way
    Ingest {
        #[arg(long, default_value_t = 100_000_000)]
        rows: usize,
    },
    /// Ten expectations on ten million rows, beside Polars, DuckDB, Pandera and Great Expectations
    Quality {
        /// How often each is run; the median counts
        #[arg(long, default_value_t = 3)]
        runs: usize,
    },
    /// Two replicas on one PostgreSQL: writes, ended tokens, a killed leader
    Replicas,
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().command {
        Command::Test => checks::run(),
        Command::Floors => floors::run(),
        Command::Reference => reference::run(),
        Command::Bench { built, what } => measure(&bench::Bench::new(built.as_deref())?, &what),
    }
}

fn measure(bench: &bench::Bench, what: &Bench) -> Result<ExitCode> {
    match what {
        Bench::Quickstart { runs } => bench.quickstart((*runs).max(1)),
        Bench::Control { objects } => bench.control(*objects),
        Bench::Features { rows, entities } => bench.features(*rows, *entities),
        Bench::Ingest { rows } => bench.ingest(*rows),
        Bench::Policy => bench.policy(),
        Bench::Quality { runs } => bench.quality(*runs),
        Bench::Replicas => bench.replicas(),
    }
}
