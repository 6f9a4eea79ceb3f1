//! SQL by people and programs: one statement that reads, over the datasets of one namespace that were opened to it.
//!
//! Start with [`Reader`]. [`Reader::parse`] says which tables a statement names and refuses what does not read; whoever may
//! know decides what of each is shown, as [`Readable`]s; [`Reader::run`] answers over those and nothing else. What is masked
//! or filtered is so below everything the statement says (`guarded.rs`), out of reach of every optimisation (`scan.rs`). Where it runs it may
//! say: in this process, or on one of the Ballista clusters that there are ([`Reader::on`]).

mod answer;
mod cluster;
mod engine;
mod error;
mod guarded;
mod mask;
mod measure;
mod place;
mod readable;
mod scan;
mod session;
mod size;
mod statement;
mod travel;

pub use answer::Answer;
pub use cluster::{Cluster, ClusterError, Executor, NoCluster, Scheduler};
pub use engine::{Limits, Reader, Request};
pub use error::ReadError;
pub use place::{Engine, NoEngine};
pub use readable::{Readable, ShownColumn};
pub use statement::{NamedTable, Parsed, Verb};
pub use travel::AsOf;
