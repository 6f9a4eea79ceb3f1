//! Load on a running platform and on the peers it is compared with, in one run. `cargo xtask bench NAME` builds the product
//! and calls this; nothing of it is in the product.
//!
//! Start with `control.rs`: what is asked of the control plane, of etcd in the same way, and the limits.

mod control;
mod etcd;
mod features;
mod http1;
mod load;
mod online;
mod peer;
mod platform;
mod policy;
mod quality;
mod replicas;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use bedplate_allocator::Allocator;
use clap::{Parser, Subcommand};

/// As the product has it.
#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

#[derive(Parser)]
#[command(name = "bedplate-benches", about = "Load for the product and its peers")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Objects written, read, listed and watched, beside etcd
    Control {
        /// The product, built for release
        #[arg(long)]
        binary: PathBuf,
        /// How many objects are stored for the list and the memory
        #[arg(long, default_value_t = 100_000)]
        objects: usize,
    },
    /// The point-in-time join, beside Polars and DuckDB
    Features {
        /// The interpreter that has the peers
        #[arg(long)]
        python: PathBuf,
        /// Rows of each of the three views; a fifth of that are label rows
        #[arg(long, default_value_t = 5_000_000)]
        rows: usize,
    },
    /// A file of many rows becomes a table
    Ingest {
        #[arg(long, default_value_t = 100_000_000)]
        rows: usize,
    },
    /// One measured step of `features` and `ingest`, in a process of its own
    #[command(hide = true)]
    FeaturesStep {
        #[command(subcommand)]
        step: features::Step,
    },
    /// Features read and pushed over HTTP, beside Feast's feature server on Redis
    Online {
        /// The interpreter that has Feast
        #[arg(long)]
        python: PathBuf,
        /// The product, built for release
        #[arg(long)]
        binary: PathBuf,
        /// Entities of each of the three views
        #[arg(long, default_value_t = 1_000_000)]
        entities: usize,
    },
    /// A server that only computes, in a process of its own
    #[command(hide = true)]
    BareServer {
        /// For how long it computes for each request
        #[arg(long)]
        micros: u64,
        /// The length of each answer
        #[arg(long)]
        bytes: usize,
    },
    /// Decisions of the policy, uncached and cached
    Policy,
    /// Expectations on a file, beside Polars, DuckDB, Pandera and Great Expectations
    Quality {
        /// A Python that has the peers
        #[arg(long)]
        python: Option<PathBuf>,
        #[arg(long, default_value_t = 10_000_000)]
        rows: usize,
        /// How often each is run; the median counts
        #[arg(long, default_value_t = 3)]
        runs: usize,
    },
    /// Ours alone, in a process of its own
    #[command(hide = true)]
    QualityJudge { file: PathBuf },
    /// What is written on one replica counts on the other; a killed leader is replaced
    Replicas {
        /// The product, built for release
        #[arg(long)]
        binary: PathBuf,
    },
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().what {
        What::Control { binary, objects } => control::run(&binary, objects),
        What::Features { python, rows } => features::run(&python, rows),
        What::Ingest { rows } => features::ingest::run(rows),
        What::FeaturesStep { step } => features::step(&step),
        What::Online { python, binary, entities } => online::run(&python, &binary, entities),
        What::BareServer { micros, bytes } => online::serve_bare(micros, bytes),
        What::Policy => policy::run(),
        What::Quality { python, rows, runs } => quality::run(python.as_deref(), rows, runs),
        What::QualityJudge { file } => quality::judge(&file),
        What::Replicas { binary } => replicas::run(&binary),
    }
}
