//! How a process ends.

use std::time::{Duration, Instant};

use bedplate_exec::{ExecError, Exit, run, spawn};
use bedplate_types::{ErrorKind, Explained, Span};
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

use crate::{eventually, is_alive, log, pid_in, shell};

#[tokio::test]
async fn a_code_or_a_signal_with_its_output_in_the_log() {
    let home = tempdir().unwrap();
    let cancel = CancellationToken::new();
    for (script, exit) in [("exit 0", Exit::Code(0)), ("exit 7", Exit::Code(7)), ("kill -9 $$", Exit::Signal(9))] {
        let script = format!("echo out; echo err >&2; {script}");
        let outcome = run(shell(home.path(), &script), cancel.clone()).await.unwrap();
        assert_eq!((outcome.exit, log(home.path()).as_str()), (exit, "out\nerr\n"));
        assert_eq!((outcome.log.bytes, outcome.log.cut, outcome.log.failure), (8, false, None));
    }
}

#[tokio::test]
async fn nothing_is_inherited_but_what_the_job_says() {
    let home = tempdir().unwrap();
    let mut job = shell(home.path(), "echo \"$GREETING:${HOME-none}:${CARGO_MANIFEST_DIR-none}\"; pwd");
    job.env = vec![("GREETING".into(), "hello".into())];
    run(job, CancellationToken::new()).await.unwrap();
    let workdir = home.path().join("work").canonicalize().unwrap();
    assert_eq!(log(home.path()), format!("hello:none:none\n{}\n", workdir.display()));
}

#[tokio::test]
async fn out_of_time_the_whole_group_ends() {
    let home = tempdir().unwrap();
    let mut job = shell(home.path(), "sleep 1000 & echo $! > child; wait");
    job.limits.wall = Span::from_micros(500_000);
    let outcome = run(job, CancellationToken::new()).await.unwrap();
    assert_eq!(outcome.exit, Exit::TimedOut);
    assert!(outcome.usage.wall_seconds >= 0.5 && outcome.usage.wall_seconds < 20.0, "{:?}", outcome.usage);
    let child = pid_in(&home.path().join("work/child"));
    eventually("the child is gone", || (!is_alive(child)).then_some(()));
}

#[tokio::test]
async fn cancelled_even_when_it_will_not_listen() {
    let home = tempdir().unwrap();
    let running = spawn(&shell(home.path(), "trap '' TERM; echo $$ > me; while :; do sleep 1; done")).unwrap();
    let pid = pid_in(&home.path().join("work/me"));
    assert_eq!(running.pid(), pid);
    let cancel = CancellationToken::new();
    cancel.cancel();
    let asked = Instant::now();
    let outcome = running.wait(&cancel).await.unwrap();
    assert_eq!(outcome.exit, Exit::Cancelled);
    assert!(!is_alive(pid) && asked.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn children_left_behind_are_gone_too() {
    let home = tempdir().unwrap();
    let outcome = run(shell(home.path(), "sleep 1000 & echo $! > child"), CancellationToken::new()).await.unwrap();
    assert_eq!(outcome.exit, Exit::Code(0));
    let child = pid_in(&home.path().join("work/child"));
    eventually("the child is gone", || (!is_alive(child)).then_some(()));
}

#[tokio::test]
async fn dropping_it_kills_it() {
    let home = tempdir().unwrap();
    let running = spawn(&shell(home.path(), "sleep 1000")).unwrap();
    let pid = running.pid();
    assert!(is_alive(pid));
    drop(running);
    eventually("the process is gone", || (!is_alive(pid)).then_some(()));
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let home = tempdir().unwrap();
    let mut job = shell(home.path(), "");
    job.program = "/nowhere/worker".into();
    let error = run(job, CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, ExecError::Start { .. }));
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::NotFound, "cannot start /nowhere/worker"));
}
