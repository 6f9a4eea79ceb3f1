//! One command, measured from start to end.

use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use bedplate_testkit::{cpu_seconds, resident_of_tree};

/// How often memory is looked at.
const EVERY: Duration = Duration::from_millis(20);

pub struct Measured {
    pub seconds: f64,
    /// Of the command and every child it waited for.
    pub cpu_seconds: f64,
    /// The highest sum of the resident memory of the command and its children, looked at every 20 ms.
    pub peak_bytes: u64,
    pub status: ExitStatus,
    pub output: String,
}

/// Runs it to its end. Its standard output is kept (it must fit into the pipe until the end: 64 KiB).
pub fn measure(command: &mut Command) -> Result<Measured> {
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot start it")?;
    let pid = child.id();
    let mut peak_bytes = 0;
    while !has_ended(pid)? {
        peak_bytes = peak_bytes.max(resident_of_tree(pid));
        std::thread::sleep(EVERY);
    }
    let seconds = started.elapsed().as_secs_f64();
    // Between its end and our waiting for it the kernel still has its times.
    let cpu_seconds = cpu_seconds(pid)?;
    let output = child.stdout.take().map(std::io::read_to_string).transpose().context("cannot read its output")?;
    let status = child.wait().context("cannot wait for it")?;
    Ok(Measured { seconds, cpu_seconds, peak_bytes, status, output: output.unwrap_or_default() })
}

fn has_ended(pid: u32) -> Result<bool> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).context("the process has no id")?;
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    Ok(waitid(WaitId::Pid(pid), options).context("cannot look at the process")?.is_some())
}

pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
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

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(vec![9.0, 1.0, 5.0]) - 5.0).abs() < 1e-9);
        assert!(median(Vec::new()).is_nan());
    }
}
