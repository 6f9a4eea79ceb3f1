//! A real process that a test talks to.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How one knows that it is ready.
#[derive(Clone, Debug)]
pub enum Ready {
    /// Its standard output or error has a line that contains this.
    Line(String),
    /// `GET http://127.0.0.1:<port><path>` is answered with 200.
    Http { port: u16, path: String },
}

/// A running program. It and what it started are killed, by their process ids, when this is dropped.
pub struct Server {
    child: Child,
    said: Arc<Mutex<String>>,
}

/// It did not become ready; `said` is what it wrote.
#[derive(Debug)]
pub struct StartError {
    pub why: String,
    pub said: String,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; it said:\n{}", self.why, self.said)
    }
}

impl std::error::Error for StartError {}

impl Server {
    /// Starts `command` and waits at most `limit` until it is ready.
    pub fn start(command: &mut Command, ready: &Ready, limit: Duration) -> Result<Self, StartError> {
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| StartError { why: error.to_string(), said: String::new() })?;
        let said = Arc::new(Mutex::new(String::new()));
        let lines = listen(&mut child, &said);
        let mut server = Self { child, said };
        match server.wait(&lines, ready, limit) {
            Ok(()) => Ok(server),
            Err(why) => Err(StartError { why, said: server.said() }),
        }
    }

    fn wait(&mut self, lines: &Receiver<String>, ready: &Ready, limit: Duration) -> Result<(), String> {
        let until = Instant::now() + limit;
        while Instant::now() < until {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("it ended before it was ready: {status}"));
            }
            let heard = lines.recv_timeout(Duration::from_millis(20));
            let is_ready = match ready {
                Ready::Line(text) => heard.as_ref().is_ok_and(|line| line.contains(text)),
                Ready::Http { port, path } => answers(*port, path),
            };
            if is_ready {
                return Ok(());
            }
            if heard == Err(RecvTimeoutError::Disconnected) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Err(format!("it was not ready within {limit:?}"))
    }

    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote so far, on both streams.
    #[must_use]
    pub fn said(&self) -> String {
        self.said.lock().map(|said| said.clone()).unwrap_or_default()
    }

    /// Asks it to end (SIGTERM) and waits at most `limit`.
    pub fn stop(mut self, limit: Duration) -> std::io::Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        let until = Instant::now() + limit;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(std::io::Error::new(std::io::ErrorKind::TimedOut, format!("it still runs {limit:?} after SIGTERM")))
    }

    /// Ends it at once (SIGKILL), as a crash would.
    pub fn kill(mut self) -> std::io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }

    fn signal(&self, signal: Signal) -> std::io::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| std::io::Error::other("the process has no id"))?;
        Ok(kill_process(pid, signal)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Workers that it started would outlive it.
        let started = crate::descendants(self.child.id());
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        for pid in started.into_iter().filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

fn listen(child: &mut Child, said: &Arc<Mutex<String>>) -> Receiver<String> {
    let (sender, receiver) = channel();
    let streams: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>),
        child.stderr.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>),
    ];
    for stream in streams.into_iter().flatten() {
        let (sender, said) = (sender.clone(), Arc::clone(said));
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if let Ok(mut said) = said.lock() {
                    said.push_str(&line);
                    said.push('\n');
                }
                // Nobody listens any more once the server is ready; reading goes on so that it never blocks.
                let _ = sender.send(line);
            }
        });
    }
    receiver
}

fn answers(port: u16, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
        let mut first = String::new();
        BufReader::new(stream).read_line(&mut first)?;
        Ok(first.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn start(script: &str) -> Result<Server, StartError> {
        Server::start(&mut shell(script), &Ready::Line("ready".into()), Duration::from_secs(10))
    }

    #[test]
    fn waits_for_the_line_and_ends_with_the_test() {
        let server = start("echo starting; sleep 0.1; echo ready >&2; exec sleep 60").unwrap();
        let pid = server.pid();
        assert!(server.said().contains("starting"));
        drop(server);
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }

    #[test]
    fn one_that_ends_early_tells_why() {
        let error = start("echo no port left >&2; sleep 0.1; exit 3").err().unwrap();
        assert!(error.why.contains("ended before"), "{error}");
        assert!(error.said.contains("no port left"), "{error}");
    }

    #[test]
    fn stop_asks_and_waits() {
        let server = start("trap 'exit 7' TERM; echo ready; while true; do sleep 0.05; done").unwrap();
        assert_eq!(server.stop(Duration::from_secs(10)).unwrap().code(), Some(7));
    }
}
