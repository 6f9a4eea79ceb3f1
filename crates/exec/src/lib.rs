//! Runs a process of its own: within limits, its output in a file, its use of the machine counted, its end certain.
//!
//! Start with [`run`], or with [`spawn`] when the process id is wanted while it runs. What is certain:
//!
//! - **It ends.** On cancellation, on its wall-time limit and when [`Running`] is dropped, its whole process group ends:
//!   first asked (end of standard input and SIGTERM), after [`GRACE`] killed.
//! - **It does not outlive its server.** Standard input is a pipe that nobody writes to and only the server holds; the
//!   kernel closes it even on `kill -9`. A worker calls [`worker::watch_parent`] and leaves at its end.
//! - **It inherits nothing.** The environment is exactly [`Job::env`].
//!
//! Limits are set from outside right after the start, since setting them in the child would need `unsafe`: what the
//! process did in its first microseconds is counted (address space, CPU time), but children it forked in them are free.
//! Linux only: prlimit and /proc. This crate knows nothing of what a process computes, nor of workloads.

mod error;
mod job;
mod limits;
mod log;
mod outcome;
mod over;
mod process;
mod procfs;
mod running;
mod thread;
pub mod worker;

pub use error::ExecError;
pub use job::{Job, Limits};
pub use log::{LOG_LIMIT, LogEnd};
pub use outcome::{Exit, Outcome, Usage};
pub use running::{GRACE, Running, run, spawn};
pub use thread::thread_cpu;
