//! Real processes: /bin/sh scripts, and this test binary in the roles of a server and its worker.

mod ends;
mod limits;
mod orphan;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use bedplate_exec::{Job, Limits};
use bedplate_types::Span;

fn shell(home: &Path, script: &str) -> Job {
    Job {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        env: Vec::new(),
        workdir: home.join("work"),
        log: home.join("logs/run.log"),
        limits: Limits { memory: None, cpu_seconds: None, wall: Span::from_micros(60_000_000) },
    }
}

fn log(home: &Path) -> String {
    fs::read_to_string(home.join("logs/run.log")).unwrap()
}

/// Whether the process runs; a zombie that nobody reaps does not.
fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z') && !rest.starts_with('X'))
}

/// Waits for something that must come soon, or fails.
fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The number a script wrote to a file.
fn pid_in(path: &Path) -> u32 {
    eventually("a process id in the file", || fs::read_to_string(path).ok()?.trim().parse().ok())
}
