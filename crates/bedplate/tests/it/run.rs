//! Running the binary and looking at what it says.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use bedplate_testkit::{Ready, Server};
use serde_json::Value;

/// The binary with a home of its own and no colours or settings from outside.
pub fn bedplate(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedplate"));
    command.args(arguments).arg("--home").arg(home);
    for name in ["HOME", "LOG", "DATABASE", "KEYS", "DATA", "ONLINE", "ONLINE_CA", "ONLINE_MEMORY", "ENGINE"] {
        command.env_remove(format!("BEDPLATE_{name}"));
    }
    command.stdin(Stdio::null());
    command
}

/// Free ports, so that tests may run beside each other and beside a platform in use.
pub const PORTS: [&str; 8] = [
    "--listen",
    "127.0.0.1:0",
    "--inference-listen",
    "127.0.0.1:0",
    "--flight-listen",
    "127.0.0.1:0",
    "--s3-listen",
    "127.0.0.1:0",
];

pub fn quickstart(home: &Path, more: &[&str]) -> Command {
    bedplate(home, &[&["quickstart", "--output", "json"], PORTS.as_slice(), more].concat())
}

/// What a run said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Where the API of a platform is that was started without TLS: the first address it tells.
pub fn control_url(server: &Server) -> String {
    let said_so = server.said();
    let (_, address) = said_so.split_once("http://").unwrap_or_else(|| panic!("{said_so}"));
    format!("http://{}", address.split_whitespace().next().unwrap())
}

pub fn said(command: &mut Command) -> Said {
    of(command.output().expect("the binary starts"))
}

fn of(output: Output) -> Said {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

impl Said {
    /// The one JSON object on standard output, of a run that ended well.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.err);
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// One clear error: what, why and fix each once, these words somewhere in it, this exit code, nothing on stdout.
    #[track_caller]
    pub fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.err.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{}", self.err);
        assert_eq!((self.err.matches("  why: ").count(), self.err.matches("  fix: ").count()), (1, 1), "{}", self.err);
        assert!(!self.err.contains("panicked") && !self.err.contains("bp_"), "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in: {}", self.err);
        }
        assert_eq!(self.out, "");
    }
}

/// The platform on a home, until it is dropped.
pub fn up(home: &Path, more: &[&str]) -> Server {
    started(&mut bedplate(home, &[&["up"], PORTS.as_slice(), more].concat()))
}

pub fn started(command: &mut Command) -> Server {
    Server::start(command, &Ready::Line("export KUBECONFIG".into()), Duration::from_secs(60))
        .expect("the platform comes up")
}
