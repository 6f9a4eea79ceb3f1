//! What a process may use, and what it is said to have used.

use bedplate_exec::{Exit, run};
use bedplate_types::Bytes;
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

use crate::{log, shell};

#[tokio::test]
async fn the_kernel_knows_the_limits() {
    let home = tempdir().unwrap();
    let mut job = shell(home.path(), "sleep 0.3; ulimit -v; ulimit -t; ulimit -c");
    job.limits.memory = Some(Bytes(1 << 30));
    job.limits.cpu_seconds = Some(9);
    assert_eq!(run(job, CancellationToken::new()).await.unwrap().exit, Exit::Code(0));
    assert_eq!(log(home.path()), "1048576\n9\n0\n");
}

#[tokio::test]
async fn memory_beyond_the_limit_is_refused() {
    let home = tempdir().unwrap();
    // `tail` keeps a line without an end in memory.
    let script = "sleep 0.3; head -c 200000000 /dev/zero | tail -n 1 > /dev/null && echo enough || echo refused";
    let mut job = shell(home.path(), script);
    job.limits.memory = Some(Bytes(64 << 20));
    run(job.clone(), CancellationToken::new()).await.unwrap();
    assert!(log(home.path()).ends_with("refused\n"), "{}", log(home.path()));
    job.limits.memory = None;
    run(job, CancellationToken::new()).await.unwrap();
    assert_eq!(log(home.path()), "enough\n");
}

#[tokio::test]
async fn cpu_time_beyond_the_limit_ends_it_and_is_counted() {
    let home = tempdir().unwrap();
    let mut job = shell(home.path(), "while :; do :; done");
    job.limits.cpu_seconds = Some(1);
    let outcome = run(job, CancellationToken::new()).await.unwrap();
    assert!(matches!(outcome.exit, Exit::Signal(9 | 24)), "{:?}", outcome.exit);
    // The kernel holds the limit against time counted in ticks, and tells the time really run: less on a busy machine.
    assert!((0.5..2.5).contains(&outcome.usage.cpu_seconds), "{:?}", outcome.usage);
    assert!(outcome.usage.wall_seconds >= 0.5, "{:?}", outcome.usage);
}

#[tokio::test]
async fn peak_memory_is_seen() {
    let home = tempdir().unwrap();
    let job = shell(home.path(), "x=$(head -c 30000000 /dev/zero | tr '\\0' a); sleep 0.4; echo ${#x}");
    let outcome = run(job, CancellationToken::new()).await.unwrap();
    assert_eq!(log(home.path()), "30000000\n");
    assert!(outcome.usage.peak_rss_bytes > 25_000_000, "{:?}", outcome.usage);
}
