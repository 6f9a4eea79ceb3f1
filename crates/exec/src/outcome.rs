//! How a process ended, and what it used.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::LogEnd;

/// A process that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub pid: u32,
    pub exit: Exit,
    pub usage: Usage,
    pub log: LogEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Code(i32),
    /// 9 is SIGKILL, as the kernel sends when memory runs out; 24 is SIGXCPU: the CPU limit.
    Signal(i32),
    /// It was ended at its wall-time limit.
    TimedOut,
    /// It was ended on request.
    Cancelled,
}

impl Exit {
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::Code(0)
    }

    pub(crate) fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, signal) => Self::Signal(signal.unwrap_or_default()),
        }
    }
}

/// What a process used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// User and system time of the process and of the children it waited for, to a hundredth.
    pub cpu_seconds: f64,
    pub wall_seconds: f64,
    /// The most memory the process itself had in RAM at once. Sampled: growth in its last 50 ms may be missed.
    pub peak_rss_bytes: u64,
}
