//! `bedplate up`: how soon it answers, and what it holds when nobody asks for anything.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use bedplate_testkit::resident;

pub struct Idle {
    pub ready_seconds: f64,
    pub resident_bytes: u64,
}

/// Starts the platform as `bedplate --home …`, waits until `/readyz` answers 200, then three quiet seconds.
pub fn measure(command: &mut Command) -> Result<Idle> {
    let started = Instant::now();
    command.arg("up").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut guard = Guard(command.spawn().context("cannot start bedplate up")?);
    let addresses = addresses(&mut guard.0);
    let ready_seconds = ready(&mut guard.0, &addresses, started)?;
    std::thread::sleep(Duration::from_secs(3));
    Ok(Idle { ready_seconds, resident_bytes: resident(guard.0.id()) })
}

/// Ends the process whatever happens.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ready(child: &mut Child, addresses: &Receiver<String>, started: Instant) -> Result<f64> {
    let mut known: Vec<String> = Vec::new();
    while started.elapsed() < Duration::from_secs(30) {
        if let Some(status) = child.try_wait()? {
            bail!("bedplate up ended by itself: {status}");
        }
        known.extend(addresses.recv_timeout(Duration::from_millis(5)));
        if known.iter().any(|address| is_ready(address).unwrap_or(false)) {
            return Ok(started.elapsed().as_secs_f64());
        }
    }
    bail!("bedplate up was not ready within 30 s; the addresses it printed: {known:?}")
}

/// Every `http://127.0.0.1:<port>` that it prints, as `127.0.0.1:<port>`.
fn addresses(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = channel();
    if let Some(stream) = child.stdout.take() {
        forward(stream, sender.clone());
    }
    if let Some(stream) = child.stderr.take() {
        forward(stream, sender);
    }
    receiver
}

fn forward(stream: impl Read + Send + 'static, sender: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if let Some(address) = address(&line) {
                let _ = sender.send(address);
            }
        }
    });
}

fn address(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("http://")?;
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !".:[]".contains(c)).unwrap_or(rest.len());
    rest[..end].contains(':').then(|| rest[..end].to_owned())
}

fn is_ready(address: &str) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut first = String::new();
    BufReader::new(stream).read_line(&mut first)?;
    Ok(first.contains(" 200"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_address_in_what_is_printed() {
        let line = "console  http://127.0.0.1:7070/login?code=ab  (once)";
        assert_eq!(address(line).as_deref(), Some("127.0.0.1:7070"));
        assert_eq!(address("nothing here"), None);
        assert_eq!(address("see http://example/"), None);
    }
}
