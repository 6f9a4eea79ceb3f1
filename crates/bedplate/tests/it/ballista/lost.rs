//! A cluster that is not there, or no longer, and statements that are given up.

use std::time::{Duration, Instant};

use bedplate_query::{Limits, ReadError};
use bedplate_types::{ErrorKind, Explained};

use super::lake::{Site, ask, open, rows};
use super::scheduler;

/// Some seconds of work for each of many tasks.
const LONG: &str =
    "SELECT sum(a.visit * b.visit % 7) AS s, count(*) AS n FROM visits a JOIN visits b ON a.visit <> b.visit";

#[track_caller]
fn away(error: &ReadError, url: &str) {
    let scheduler = url.trim_start_matches("ballista://");
    assert_eq!(error.kind(), ErrorKind::NotReady, "{error}");
    assert!(error.to_string().contains(url), "{error}");
    assert!(error.fix().unwrap().contains(&format!("bedplate executor --scheduler {scheduler}")), "{:?}", error.fix());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_away_is_named_and_nothing_runs_here() {
    let site = Site::new().await;
    let mut nodes = scheduler();
    let there = site.reader(Some(nodes.cluster()), Limits::default());
    let alone = rows(&there, open(), "SELECT * FROM people").await.unwrap_err();
    away(&alone, &nodes.url);
    assert!(alone.to_string().contains("no executors"), "{alone}");
    nodes.scheduler.take().unwrap().kill().unwrap();
    away(&rows(&there, open(), "SELECT 1").await.unwrap_err(), &nodes.url);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_that_dies_midway_is_told() {
    let site = Site::new().await;
    let mut nodes = scheduler().with_executors(1, site.root());
    let there = site.reader(Some(nodes.cluster()), Limits::default());
    let statement = rows(&there, open(), LONG);
    let killing = async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        nodes.scheduler.take().unwrap().kill().unwrap();
    };
    let (ended, ()) = tokio::join!(statement, killing);
    away(&ended.unwrap_err(), &nodes.url);
}

/// What it had worked out is not counted twice, whenever it dies: the statement is begun anew.
#[tokio::test(flavor = "multi_thread")]
async fn an_executor_that_dies_midway_does_not_change_the_answer() {
    let site = Site::new().await;
    let sql =
        "SELECT a.ward, count(*) AS n FROM visits a JOIN visits b ON a.visit % 200 = b.visit % 200 GROUP BY a.ward";
    let sorted = |mut rows: Vec<String>| {
        rows.sort_unstable();
        rows
    };
    let expect = sorted(rows(&site.reader(None, Limits::default()), open(), sql).await.unwrap());
    for after in [100, 250, 400, 700] {
        let mut nodes = scheduler().with_executors(2, site.root());
        let there = site.reader(Some(nodes.cluster()), Limits::default());
        let statement = rows(&there, open(), sql);
        let killing = async {
            tokio::time::sleep(Duration::from_millis(after)).await;
            nodes.executors.remove(0).kill().unwrap();
        };
        let (ended, ()) = tokio::join!(statement, killing);
        match ended {
            Ok(got) => assert_eq!(sorted(got), expect, "killed after {after} ms"),
            // Some rows were out.
            Err(error) => assert!(error.to_string().contains("while its rows were fetched"), "{error}"),
        }
        // The other goes on alone.
        assert_eq!(rows(&there, open(), "SELECT count(*) AS n FROM visits").await.unwrap(), ["{\"n\":10000}"]);
    }
}

/// Whoever goes away, or is too slow, ends the job: its executors are free for the next.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_is_given_up_is_cancelled_on_the_cluster() {
    let site = Site::new().await;
    let nodes = scheduler().with_executors(1, site.root());
    let pid = nodes.executors[0].pid();
    let limits = Limits { time: Duration::from_millis(1_500), statements: 1, ..Limits::default() };
    let there = site.reader(Some(nodes.cluster()), limits);
    let slow = rows(&there, open(), LONG).await.unwrap_err();
    assert_eq!(slow.kind(), ErrorKind::Timeout, "{slow}");
    becomes_idle(pid).await;
    let running = ask(&there, open(), LONG).await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    drop(running);
    becomes_idle(pid).await;
}

/// It works on nothing for half a second.
async fn becomes_idle(pid: u32) {
    let until = Instant::now() + Duration::from_secs(15);
    loop {
        let before = bedplate_testkit::cpu_seconds(pid).unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        if bedplate_testkit::cpu_seconds(pid).unwrap() - before < 0.1 {
            return;
        }
        assert!(Instant::now() < until, "the executor still works on what nobody waits for");
    }
}
