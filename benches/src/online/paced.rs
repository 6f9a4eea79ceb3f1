//! Many clients at a rate that is kept whatever the answers take. The server has one processor, the clients another, and a
//! request's time counts from when it was due. Each second has its own figure too, which tells what is rare from
//! what comes again each second.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::{RATE, SECONDS, Server, body, cpu_of};
use crate::http1::Connection;
use crate::load::Done;

const CLIENTS: usize = 32;

pub struct Paced {
    pub all: Done,
    /// What 99 of 100 requests of each second stayed below, in milliseconds, rising.
    pub p99_of_seconds: Vec<f64>,
    /// CPU milliseconds of the server a request.
    pub cpu_ms: f64,
}

impl Paced {
    pub fn p99_of_the_median_second(&self) -> f64 {
        self.p99_of_seconds[self.p99_of_seconds.len() / 2]
    }

    /// In how many of the seconds it stayed below so many milliseconds.
    pub fn seconds_below(&self, limit: f64) -> usize {
        self.p99_of_seconds.partition_point(|p99| *p99 < limit)
    }
}

pub fn paced(server: &Server, seconds: usize) -> Result<Paced> {
    let all = allowed()?;
    let (ours, its) = two(&all)?;
    let pids = || server.pids.iter().copied();
    pids().try_for_each(|pid| pin(pid, &its))?;
    pin(std::process::id(), &ours)?;
    let before = cpu_of(&server.pids)?;
    let done = asked(server, RATE * seconds);
    let cpu_ms = (cpu_of(&server.pids)? - before) * 1_000.0 / (RATE * seconds) as f64;
    pin(std::process::id(), &all)?;
    pids().try_for_each(|pid| pin(pid, &all))?;
    let (seconds, micros) = done?;
    let each = micros.chunks(RATE).map(|second| Done::of(1.0, second.to_vec()).quantile_ms(0.99));
    let mut p99_of_seconds: Vec<f64> = each.collect();
    p99_of_seconds.sort_unstable_by(f64::total_cmp);
    Ok(Paced { all: Done::of(seconds, micros), p99_of_seconds, cpu_ms })
}

/// The longest that the processor of the servers is away from a thread that never gives it up, in milliseconds.
pub fn longest_pause() -> Result<f64> {
    let all = allowed()?;
    let looking = std::thread::spawn(|| {
        let (started, mut last, mut longest) = (Instant::now(), Instant::now(), Duration::ZERO);
        while started.elapsed() < Duration::from_secs(SECONDS as u64) {
            let now = Instant::now();
            (longest, last) = (longest.max(now - last), now);
        }
        longest
    });
    pin(std::process::id(), &two(&all)?.1)?;
    let longest = looking.join().map_err(|_| anyhow::anyhow!("the thread that looks at the clock failed"));
    pin(std::process::id(), &all)?;
    Ok(longest?.as_secs_f64() * 1_000.0)
}

/// The processors we may have, as `0-1,4`.
fn allowed() -> Result<String> {
    let status = fs::read_to_string("/proc/self/status")?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    Ok(list.context("/proc tells of no processors")?.trim().to_owned())
}

/// The first and the last of them.
fn two(list: &str) -> Result<(String, String)> {
    let mut numbers = list.split([',', '-']);
    match (numbers.clone().next(), numbers.next_back()) {
        (Some(first), Some(last)) if first != last => Ok((first.to_owned(), last.to_owned())),
        _ => bail!("it needs two processors, and has {list}"),
    }
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

/// Seconds in all, and the microseconds of each request in the order they were due.
///
/// The thread never sleeps: timers are a millisecond apart, and what is due at once would wait for each other.
fn asked(server: &Server, requests: usize) -> Result<(f64, Vec<u64>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().event_interval(1).enable_all().build()?;
    runtime.block_on(async {
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            clients.push(Arc::new(Mutex::new(Connection::open(&server.target).await?)));
        }
        let bodies: Vec<String> = (0..requests).map(|n| body(server, n, 10)).collect();
        let (mut asked, mut micros) = (JoinSet::new(), vec![0; requests]);
        let started = Instant::now();
        for (n, body) in bodies.into_iter().enumerate() {
            let due = started + Duration::from_micros((n * 1_000_000 / RATE) as u64);
            while Instant::now() < due {
                answered(&mut asked, &mut micros)?;
                tokio::task::yield_now().await;
            }
            let client = clients[n % CLIENTS].clone();
            asked.spawn(async move {
                client.lock().await.ask("POST", "/get-online-features", body).await?;
                anyhow::Ok((n, due.elapsed().as_micros() as u64))
            });
        }
        while !asked.is_empty() {
            answered(&mut asked, &mut micros)?;
            tokio::task::yield_now().await;
        }
        Ok((started.elapsed().as_secs_f64(), micros))
    })
}

/// Takes what is answered. At once, so that the next request has its memory: with a new piece of it for each the clients stood
/// still for milliseconds, which counted as the server's.
fn answered(asked: &mut JoinSet<Result<(usize, u64)>>, micros: &mut [u64]) -> Result<()> {
    while let Some(one) = asked.try_join_next() {
        let (n, took) = one??;
        micros[n] = took;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::two;

    #[test]
    fn two_processors_are_chosen() {
        let chosen = |list| two(list).ok().map(|(first, last)| format!("{first} {last}"));
        assert_eq!(chosen("0-1").as_deref(), Some("0 1"));
        assert_eq!(chosen("2,5-7").as_deref(), Some("2 7"));
        assert_eq!(chosen("3"), None);
    }
}
