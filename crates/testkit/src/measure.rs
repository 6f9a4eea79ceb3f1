//! One command, measured from start to end.

use std::io;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::process::{cpu_seconds, resident_of_tree};

/// How often memory is looked at.
const EVERY: Duration = Duration::from_millis(20);

/// What a command took.
#[derive(Debug)]
pub struct Measured {
    pub seconds: f64,
    /// Of the command and every child it waited for.
    pub cpu_seconds: f64,
    /// The highest sum of the resident memory of the command and its children, looked at every 20 ms.
    pub peak_bytes: u64,
    pub status: ExitStatus,
    pub output: String,
}

/// Runs a command to its end. Its standard output is kept (it must fit into the pipe until the end: 64 KiB).
pub fn measure(command: &mut Command) -> io::Result<Measured> {
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let pid = child.id();
    let mut peak_bytes = 0;
    while !has_ended(pid)? {
        peak_bytes = peak_bytes.max(resident_of_tree(pid));
        std::thread::sleep(EVERY);
    }
    let seconds = started.elapsed().as_secs_f64();
    // Between its end and our waiting for it the kernel still has its times.
    let cpu_seconds = cpu_seconds(pid)?;
    let output = child.stdout.take().map(io::read_to_string).transpose()?;
    let status = child.wait()?;
    Ok(Measured { seconds, cpu_seconds, peak_bytes, status, output: output.unwrap_or_default() })
}

fn has_ended(pid: u32) -> io::Result<bool> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    Ok(waitid(WaitId::Pid(pid), options)?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_measured() {
        let script = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done";
        let measured = measure(Command::new("sh").args(["-c", script])).unwrap();
        assert!(measured.status.success() && measured.output == "done\n");
        assert!(measured.cpu_seconds > 0.0 && measured.peak_bytes > 100_000, "{}", measured.cpu_seconds);
    }
}
