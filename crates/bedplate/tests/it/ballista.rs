//! SQL on a Ballista cluster: a scheduler and executors of the binary, which answer what this process answers, and no more.

mod attempts;
mod golden;
mod lake;
mod lost;
mod platform;

use std::path::Path;
use std::time::Duration;

use bedplate_query::Cluster;
use bedplate_testkit::{Ready, Server};

use crate::run::{bedplate, said};

const PATIENCE: Duration = Duration::from_secs(60);

pub struct Nodes {
    /// `ballista://host:port`
    pub url: String,
    pub scheduler: Option<Server>,
    pub executors: Vec<Server>,
}

/// A scheduler without executors.
pub fn scheduler() -> Nodes {
    // Where nothing is kept a home is no use.
    let mut command = bedplate(Path::new("/nowhere"), &["scheduler", "--bind", "127.0.0.1:0"]);
    let server = Server::start(&mut command, &Ready::Line("ready".into()), PATIENCE).expect("the scheduler comes up");
    let said = server.said();
    let (_, url) = said.split_once("is up on ").unwrap();
    let url = url.split_whitespace().next().unwrap().to_owned();
    Nodes { url, scheduler: Some(server), executors: Vec::new() }
}

impl Nodes {
    /// With `count` more executors, which read below `data`.
    pub fn with_executors(mut self, count: usize, data: &Path) -> Self {
        let started = (0..count).map(|_| self.executor(data)).collect::<Vec<_>>();
        self.executors.extend(started);
        self
    }

    fn executor(&self, data: &Path) -> Server {
        let scheduler = self.url.trim_start_matches("ballista://");
        let ports = ["--bind", "127.0.0.1:0", "--task-port", "0", "--slots", "2", "--memory", "256"];
        let whose = ["executor", "--scheduler", scheduler, "--data", data.to_str().unwrap()];
        let mut command = bedplate(Path::new("/nowhere"), &[whose.as_slice(), &ports].concat());
        Server::start(&mut command, &Ready::Line("ready".into()), PATIENCE).expect("an executor comes up")
    }

    pub fn cluster(&self) -> Cluster {
        Cluster::at(self.url.trim_start_matches("ballista://")).unwrap()
    }
}

#[test]
fn they_listen_on_this_machine_alone_unless_somebody_insists() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let run = |arguments: &[&str]| said(&mut bedplate(folder.path(), arguments));
    let all = ["scheduler", "--bind", "0.0.0.0:0", "--advertise", "here"];
    run(&all).refused(9, &["no TLS", "--insecure-plaintext"]);
    run(&["scheduler", "--bind", "0.0.0.0:0", "--insecure-plaintext"]).refused(3, &["--advertise"]);
    run(&["scheduler", "--advertise", "a b"]).refused(3, &["no host"]);
    let executor = ["executor", "--scheduler", "127.0.0.1:1", "--data", data, "--bind"];
    run(&[executor.as_slice(), &["0.0.0.0:0"]].concat()).refused(9, &["no TLS", "--insecure-plaintext"]);
    let nowhere = ["executor", "--scheduler", "127.0.0.1:1", "--data", "/nowhere", "--bind", "127.0.0.1:0"];
    run(&[nowhere.as_slice(), &["--task-port", "0"]].concat()).refused(3, &["/nowhere", "--data"]);
    assert_eq!(run(&["up", "--engine", "http://127.0.0.1:1"]).code, Some(2));
}

/// The only trace an executor leaves is in a folder of its own, which goes with it.
#[test]
fn they_end_when_they_are_told_to_and_leave_nothing() {
    let (folder, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut nodes = scheduler();
    let scheduler = nodes.url.trim_start_matches("ballista://").to_owned();
    let mut command = bedplate(
        Path::new("/nowhere"),
        &[
            "executor",
            "--scheduler",
            &scheduler,
            "--data",
            folder.path().to_str().unwrap(),
            "--bind",
            "127.0.0.1:0",
            "--task-port",
            "0",
        ],
    );
    command.env("TMPDIR", scratch.path());
    let executor = Server::start(&mut command, &Ready::Line("ready".into()), PATIENCE).unwrap();
    let left = || std::fs::read_dir(scratch.path()).unwrap().count();
    assert_eq!(left(), 1);
    assert!(executor.stop(Duration::from_secs(20)).unwrap().success());
    assert_eq!(left(), 0);
    assert!(nodes.scheduler.take().unwrap().stop(Duration::from_secs(20)).unwrap().success());
}
