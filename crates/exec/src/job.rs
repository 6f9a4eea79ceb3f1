//! What to run, and within which limits.

use std::path::PathBuf;

use bedplate_types::{Bytes, Span};

/// One process to run.
#[derive(Clone, Debug)]
pub struct Job {
    /// A path, not a name: there is no PATH to look it up in.
    pub program: PathBuf,
    pub args: Vec<String>,
    /// The whole environment; nothing is inherited.
    pub env: Vec<(String, String)>,
    /// Created when it is not there.
    pub workdir: PathBuf,
    /// Gets standard output and error as they come; begun anew by each run. Its folder is created when it is not there.
    pub log: PathBuf,
    pub limits: Limits,
}

/// What a process may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Address space (`RLIMIT_AS`) of each process; an allocation beyond it fails.
    pub memory: Option<Bytes>,
    /// CPU time (`RLIMIT_CPU`) of each process; beyond it the kernel sends SIGXCPU, a second later SIGKILL.
    /// The kernel counts it in timer ticks, so on a busy machine [`crate::Usage`] can tell of less when it strikes: a
    /// limit of 1 s was seen to end a process at 0.83 s.
    pub cpu_seconds: Option<u64>,
    /// Time on the wall; beyond it the process group is ended.
    pub wall: Span,
}
