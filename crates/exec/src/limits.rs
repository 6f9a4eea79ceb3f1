//! Resource limits, set on a process that has just started.

use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::Limits;

/// Sets every limit; on failure tells which. A process that is over already needs none.
pub(crate) fn apply(pid: Pid, limits: &Limits) -> Result<(), (&'static str, io::Error)> {
    set(pid, Resource::Core, 0, 0).map_err(|error| ("core dump size", error))?;
    if let Some(memory) = limits.memory {
        set(pid, Resource::As, memory.0, memory.0).map_err(|error| ("memory", error))?;
    }
    if let Some(seconds) = limits.cpu_seconds {
        set(pid, Resource::Cpu, seconds, seconds.saturating_add(1)).map_err(|error| ("CPU time", error))?;
    }
    Ok(())
}

fn set(pid: Pid, resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    // The child has our own hard limits, and nobody may raise those.
    let ceiling = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit = Rlimit { current: Some(soft.min(ceiling)), maximum: Some(hard.min(ceiling)) };
    match prlimit(Some(pid), resource, limit) {
        Ok(_) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
