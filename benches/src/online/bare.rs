//! A server that is nothing but a loop: for each request it computes as long as the platform does, and answers as much. Asked
//! the same on the same processor, it tells which part of a p99 is the machine's.

use std::hint::black_box;
use std::io::Write;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bedplate_testkit::{Ready, Server as Process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::paced::{self, Paced};
use super::{SECONDS, Server, ask_once};
use crate::http1::Target;

const PATIENCE: Duration = Duration::from_secs(30);
/// For how long it is asked to learn what a request takes besides the computing.
const TRIAL: usize = 2;
/// Rounds of computing that are timed, and how often: the fastest counts.
const ROUNDS: u64 = 20_000;
const TRIALS: usize = 50;

/// The same load on a bare server that takes as much CPU time a request as the platform did under it.
pub fn paced(platform: &Server, took_ms: f64) -> Result<Paced> {
    let bytes = ask_once(platform)?.len();
    let idle = started(0, bytes, platform.entities)?;
    let besides = paced::paced(&idle.server, TRIAL)?.cpu_ms;
    drop(idle);
    let micros = ((took_ms - besides) * 1_000.0).max(0.0) as u64;
    paced::paced(&started(micros, bytes, platform.entities)?.server, SECONDS)
}

struct Bare {
    server: Server,
    _process: Process,
}

fn started(micros: u64, bytes: usize, entities: usize) -> Result<Bare> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bare-server", "--micros", &micros.to_string(), "--bytes", &bytes.to_string()]);
    let process = Process::start(&mut command, &Ready::Line("ready".into()), PATIENCE).context("the bare server")?;
    let said = process.said();
    let address = said.split_once("ready ").context("the bare server told no address")?.1.trim().to_owned();
    let target = Target { address, token: String::new() };
    Ok(Bare { server: Server { target, pids: vec![process.pid()], entities }, _process: process })
}

/// Serves until it is killed, on one thread.
pub fn serve(micros: u64, bytes: usize) -> Result<ExitCode> {
    let rounds = micros * rounds_a_micro();
    let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n").into_bytes();
    answer.resize(answer.len() + bytes, b' ');
    let answer: &'static [u8] = answer.leak();
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("ready {}", listener.local_addr()?);
        std::io::stdout().flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(connection(stream, rounds, answer));
        }
    })
}

async fn connection(mut stream: TcpStream, rounds: u64, answer: &[u8]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut asked = Vec::new();
    while stream.read_buf(&mut asked).await? > 0 {
        while let Some(length) = whole(&asked) {
            asked.drain(..length);
            compute(rounds);
            stream.write_all(answer).await?;
        }
    }
    Ok(())
}

/// Bytes of the first request, when it is there with its body.
fn whole(asked: &[u8]) -> Option<usize> {
    let head = asked.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let lines = std::str::from_utf8(&asked[..head]).ok()?.lines();
    let body =
        lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = head + body.map_or(Some(0), |(_, length)| length.trim().parse().ok())?;
    (asked.len() >= length).then_some(length)
}

/// The same code whether it is timed or serves.
#[inline(never)]
fn compute(rounds: u64) {
    let step = |number: u64| {
        let number = number ^ (number << 13);
        let number = number ^ (number >> 7);
        number ^ (number << 17)
    };
    black_box((0..rounds).fold(black_box(1), |number, _| step(number)));
}

fn rounds_a_micro() -> u64 {
    let timed = || {
        let started = Instant::now();
        compute(ROUNDS);
        started.elapsed()
    };
    let fastest = (0..TRIALS).map(|_| timed()).min().unwrap_or_default();
    (ROUNDS as f64 / fastest.as_secs_f64() / 1e6).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_whole_with_its_body() {
        let asked = b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET";
        assert_eq!(whole(asked), Some(asked.len() - 3));
        assert_eq!(whole(&asked[..asked.len() - 4]), None);
        assert_eq!(whole(b"GET /a HTTP/1.1\r\n\r\n"), Some(19));
        assert_eq!(whole(b"GET /a HTTP/1.1\r\n"), None);
    }
}
