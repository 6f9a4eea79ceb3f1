//! A worker leaves when its server is killed, with no chance to tell it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bedplate_exec::{Job, run, worker};
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

use crate::{eventually, is_alive, pid_in, shell};

const HOME: &str = "ORPHAN_TEST_HOME";

#[expect(clippy::disallowed_methods, reason = "how the test speaks to its roles")]
fn home() -> PathBuf {
    std::env::var_os(HOME).expect("only the test starts this role").into()
}

fn in_role(role: &str) -> Vec<String> {
    [role, "--exact", "--ignored", "--nocapture"].map(String::from).to_vec()
}

fn worker_job(home: &Path) -> Job {
    Job {
        program: std::env::current_exe().unwrap(),
        args: in_role("orphan::role_worker"),
        env: vec![(HOME.into(), home.display().to_string())],
        ..shell(home, "")
    }
}

#[tokio::test]
#[ignore = "not a test: the server that a_killed_server_leaves_no_orphan starts"]
async fn role_server() {
    let cancel = CancellationToken::new();
    run(worker_job(&home()), cancel).await.unwrap();
}

#[test]
#[ignore = "not a test: the worker that the server starts"]
#[expect(clippy::disallowed_methods, reason = "a worker leaves as a real one does")]
fn role_worker() {
    let done = home().join("left");
    let leave = move || {
        std::fs::write(done, "").unwrap();
        std::process::exit(3)
    };
    worker::watch_parent(std::io::stdin(), leave).unwrap();
    std::fs::write(home().join("worker"), std::process::id().to_string()).unwrap();
    std::thread::sleep(Duration::from_secs(600));
}

#[test]
fn a_killed_server_leaves_no_orphan() {
    let home = tempdir().unwrap();
    let mut server = Command::new(std::env::current_exe().unwrap());
    let mut server = server.args(in_role("orphan::role_server")).env(HOME, home.path()).spawn().unwrap();
    let worker = pid_in(&home.path().join("worker"));
    assert!(is_alive(worker) && !home.path().join("left").exists());
    server.kill().unwrap();
    server.wait().unwrap();
    eventually("the worker left by itself", || (!is_alive(worker)).then_some(()));
    assert!(home.path().join("left").exists());
}
