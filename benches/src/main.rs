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
mod policy;
mod replicas;
mod table;
mod venv;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

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
        /// Rows of each of the three views; a fifth of that are label rows
        #[arg(long, default_value_t = 5_000_000)]
        rows: usize,
    },
    /// One measured step of `features`, in a process of its own
    #[command(hide = true)]
    FeaturesStep {
        #[command(subcommand)]
        step: features::Step,
    },
    /// Features read and pushed over HTTP, beside Feast's feature server on Redis
    Online {
        /// The product, built for release
        #[arg(long)]
        binary: PathBuf,
        /// Entities of each of the three views
        #[arg(long, default_value_t = 1_000_000)]
        entities: usize,
    },
    /// Decisions of the policy, uncached and cached
    Policy,
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
        What::Features { rows } => features::run(rows),
        What::FeaturesStep { step } => features::step(&step),
        What::Online { binary, entities } => online::run(&binary, entities),
        What::Policy => policy::run(),
        What::Replicas { binary } => replicas::run(&binary),
    }
}
