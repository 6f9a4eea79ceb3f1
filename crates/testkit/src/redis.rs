//! A real Redis server of the test's own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::{StartError, free_port, not_run, program};

const LIMIT: Duration = Duration::from_secs(60);
const DATABASES: usize = 10_000;
/// What acknowledges only what is on its disk.
const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// Keeps the server: it ends, as in a crash, with its standard input, and so with the process of the tests, however that ends.
const KEEPER: &str = r#"
log=$1; shift
"$@" >>"$log" 2>&1 &
server=$!
read -r word
kill -KILL $server 2>/dev/null
wait $server
"#;

/// A server on a port of its own, with its data in a temporary folder. It is ended when this is dropped.
#[derive(Debug)]
pub struct Redis {
    folder: PathBuf,
    port: u16,
    settings: Vec<String>,
    keeper: Option<Child>,
}

impl Redis {
    /// Starts a server that acknowledges only what is on its disk, with more settings as `--name`, `value`.
    ///
    /// # Errors
    /// What it said.
    pub fn start(more: &[&str]) -> Result<Self, StartError> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("bedplate-redis-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).map_err(failed)?;
        let settings = DURABLE.iter().chain(more).map(|setting| (*setting).to_owned()).collect();
        let mut server = Self { folder, port: free_port(), settings, keeper: None };
        server.resume()?;
        Ok(server)
    }

    /// As [`Self::start`]. None, and [`not_run`] says that `what` was not run, when there is none.
    #[must_use]
    pub fn of_its_own(what: &str, more: &[&str]) -> Option<Self> {
        Self::start(more).map_err(|error| not_run(&format!("{what}: there is no Redis server: {error}"))).ok()
    }

    /// One server for all tests of the process. None, and [`not_run`] says that `what` was not run, when there is none.
    pub fn shared(what: &str) -> Option<&'static Self> {
        static SERVER: OnceLock<Result<Redis, String>> = OnceLock::new();
        match SERVER.get_or_init(|| Self::start(&[]).map_err(|error| error.to_string())) {
            Ok(server) => Some(server),
            Err(why) => {
                not_run(&format!("{what}: there is no Redis server: {why}"));
                None
            }
        }
    }

    /// The address of an empty database that no other test of this process has.
    #[must_use]
    pub fn database(&self) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        self.url(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The address of a database by its number.
    #[must_use]
    pub fn url(&self, database: usize) -> String {
        format!("redis://127.0.0.1:{}/{database}", self.port)
    }

    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Answers what `redis-cli` does, asked for a database by its address.
    ///
    /// # Panics
    /// When it cannot be run.
    #[must_use]
    pub fn cli(&self, url: &str, words: &[&str]) -> String {
        let database = url.rsplit('/').next().unwrap_or("0");
        let mut cli = Command::new("redis-cli");
        cli.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-n", database]).args(words);
        let output = cli.stdin(Stdio::null()).output().expect("redis-cli can be run");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Ends it at once, as a crash would; the data stays for [`Self::resume`].
    pub fn crash(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            let _ = keeper.wait();
        }
    }

    /// Starts it again after [`Self::crash`].
    ///
    /// # Errors
    /// What it said.
    pub fn resume(&mut self) -> Result<(), StartError> {
        let why = || StartError { why: "redis-server is not installed".into(), said: String::new() };
        let server = program("redis-server").ok_or_else(why)?;
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "sh"]).arg(self.folder.join("log")).arg(server);
        keeper.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        keeper.args(["--databases", &DATABASES.to_string(), "--dir"]).arg(&self.folder).args(&self.settings);
        let keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.keeper = Some(keeper.map_err(failed)?);
        let until = Instant::now() + LIMIT;
        while Instant::now() < until {
            if answers(self.port) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let said = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        Err(StartError { why: format!("it was not ready within {LIMIT:?}"), said })
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.crash();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Also one that wants to know who asks is up; one that still reads its data is not.
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"PING\r\n")?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line)
    };
    ask().is_ok_and(|line| line.starts_with("+PONG") || line.starts_with("-NOAUTH"))
}

fn failed(error: std::io::Error) -> StartError {
    StartError { why: error.to_string(), said: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_keeps_its_data_over_a_crash_and_ends_with_its_handle() {
        let Some(mut server) = Redis::of_its_own("the starter of Redis", &[]) else { return };
        let url = server.database();
        assert_eq!(server.cli(&url, &["SET", "kept", "7"]), "OK");
        server.crash();
        assert!(!answers(server.port), "it still answers");
        server.resume().unwrap();
        assert_eq!(server.cli(&url, &["GET", "kept"]), "7");
        let (folder, port) = (server.folder.clone(), server.port);
        drop(server);
        assert!(!folder.exists() && !answers(port));
    }
}
