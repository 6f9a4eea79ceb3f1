//! Statements on a Ballista cluster in place of this process.
//!
//! The platform plans: what a caller may see is decided, and masks and filters are in the plan, before anything is sent. What
//! is sent is the physical plan (`job.rs`), in which a dataset's scan shows what it reads, so that the scheduler can share its
//! files among tasks (`scan.rs`, `codec.rs`). Scheduler ([`Scheduler`]) and executors ([`Executor`]) decide nothing about
//! rights; an executor reads below its roots and writes nothing but its own work (`fence.rs`). Of the secret that pseudonyms
//! are made with only the key of the statement's namespace travels, and only where a column is hashed.

mod address;
mod attempt;
mod codec;
mod executor;
mod failure;
mod fence;
mod folder;
mod job;
mod planning;
mod scan;
mod scanned;
mod scheduler;
mod watched;

pub(super) use address::SCHEME;
pub use address::{Cluster, NoCluster};
pub use executor::Executor;
pub(super) use job::Job;
pub(super) use planning::{config, in_one_piece};
pub use scheduler::Scheduler;

use bedplate_types::{ErrorKind, Explained};

/// Why a scheduler or an executor is not there, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error("there is no scheduler at {scheduler}: {why}")]
    NoScheduler { scheduler: String, why: String },
    #[error("{path} is no folder to read from: {why}")]
    Root { path: String, why: String },
    #[error("{what}: {why}")]
    Failed { what: &'static str, why: String },
}

impl ClusterError {
    fn failed(what: &'static str) -> impl FnOnce(ballista_core::error::BallistaError) -> Self {
        move |error| Self::Failed { what, why: error.to_string() }
    }
}

impl Explained for ClusterError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoScheduler { .. } => ErrorKind::NotReady,
            Self::Root { .. } => ErrorKind::Invalid,
            Self::Failed { .. } => ErrorKind::Internal,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::NoScheduler { .. } => Some("start it with bedplate scheduler, or correct --scheduler".into()),
            Self::Root { .. } => Some("name the folder of the platform's lake with --data".into()),
            Self::Failed { .. } => None,
        }
    }
}
