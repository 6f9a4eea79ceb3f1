//! Many clients at a rate that is kept whatever the answers take. The server has one processor, the clients another, and a
//! request's time counts from when it was due.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::{RATE, SECONDS, Server, body};
use crate::http1::Connection;
use crate::load::Done;

const CLIENTS: usize = 32;
const REQUESTS: usize = RATE * SECONDS;

pub fn paced(server: &Server) -> Result<Done> {
    let all = allowed()?;
    let (ours, its) = two(&all).with_context(|| format!("it needs two processors, and has {all}"))?;
    let pids = || server.pids.iter().copied();
    pids().try_for_each(|pid| pin(pid, &its))?;
    pin(std::process::id(), &ours)?;
    let done = asked(server);
    pin(std::process::id(), &all)?;
    pids().try_for_each(|pid| pin(pid, &all))?;
    done
}

/// The processors we may have, as `0-1,4`.
fn allowed() -> Result<String> {
    let status = fs::read_to_string("/proc/self/status")?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    Ok(list.context("/proc tells of no processors")?.trim().to_owned())
}

/// The first and the last of them.
fn two(list: &str) -> Option<(String, String)> {
    let mut numbers = list.split([',', '-']);
    let (first, last) = (numbers.clone().next()?, numbers.next_back()?);
    (first != last).then(|| (first.to_owned(), last.to_owned()))
}

/// All threads of a process.
fn pin(pid: u32, processors: &str) -> Result<()> {
    let mut taskset = Command::new("taskset");
    taskset.args(["--all-tasks", "--cpu-list", "--pid", processors]).arg(pid.to_string());
    let said = taskset.output().context("taskset, of util-linux, is not there")?;
    // A thread that ended meanwhile needs no processor.
    match said.status.success() || String::from_utf8_lossy(&said.stderr).contains("No such process") {
        true => Ok(()),
        false => bail!("taskset: {}", String::from_utf8_lossy(&said.stderr)),
    }
}

/// The thread never sleeps: timers are a millisecond apart, and what is due at once would wait for each other.
fn asked(server: &Server) -> Result<Done> {
    let runtime = tokio::runtime::Builder::new_current_thread().event_interval(1).enable_all().build()?;
    runtime.block_on(async {
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            clients.push(Arc::new(Mutex::new(Connection::open(&server.target).await?)));
        }
        let bodies: Vec<String> = (0..REQUESTS).map(|n| body(server, n, 10)).collect();
        let (mut asked, started) = (JoinSet::new(), Instant::now());
        for (n, body) in bodies.into_iter().enumerate() {
            let due = started + Duration::from_micros((n * 1_000_000 / RATE) as u64);
            while Instant::now() < due {
                tokio::task::yield_now().await;
            }
            let client = clients[n % CLIENTS].clone();
            asked.spawn(async move {
                client.lock().await.ask("POST", "/get-online-features", body).await?;
                anyhow::Ok(due.elapsed().as_micros() as u64)
            });
        }
        let mut micros = Vec::with_capacity(REQUESTS);
        while let Some(one) = asked.join_next().await {
            micros.push(one??);
        }
        Ok(Done::of(started.elapsed().as_secs_f64(), micros))
    })
}

#[cfg(test)]
mod tests {
    use super::two;

    #[test]
    fn two_processors_are_chosen() {
        let chosen = |list| two(list).map(|(first, last)| format!("{first} {last}"));
        assert_eq!(chosen("0-1").as_deref(), Some("0 1"));
        assert_eq!(chosen("2,5-7").as_deref(), Some("2 7"));
        assert_eq!(chosen("3"), None);
    }
}
