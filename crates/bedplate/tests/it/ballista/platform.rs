//! A platform whose SQL runs on a cluster: through every door the same as without one.

use bedplate_testkit::{not_run, python};

use super::scheduler;
use crate::sql::{Care, care_with, masked_filtered_told_of_and_paid_for};

fn on_a_cluster() -> (Care, super::Nodes) {
    let nodes = scheduler();
    let care = care_with(&["--engine", &nodes.url]);
    let nodes = nodes.with_executors(2, &care.home.path().join("lake"));
    (care, nodes)
}

#[test]
fn rows_are_masked_filtered_told_of_and_paid_for() {
    let (care, nodes) = on_a_cluster();
    assert!(care.server.said().contains(&format!("sql runs   on {}", nodes.url)), "{}", care.server.said());
    masked_filtered_told_of_and_paid_for(&care);
}

#[test]
fn flight_sql_s_driver_reads_looks_around_and_is_refused() {
    if python().is_none() {
        return not_run(
            "the ADBC driver against Flight SQL on a cluster: no Python environment with adbc-driver-flightsql",
        );
    }
    let (care, _nodes) = on_a_cluster();
    crate::flight::driven(&care);
}

/// Not even a statement that this process could answer runs in it.
#[test]
fn without_its_cluster_a_platform_says_what_to_start() {
    let mut nodes = scheduler();
    let care = care_with(&["--engine", &nodes.url]);
    let at = nodes.url.trim_start_matches("ballista://").to_owned();
    let ask = || care.cli(&["select ward from ward_beds"]);
    ask().refused(7, &["no executors", &nodes.url, &format!("bedplate executor --scheduler {at}")]);
    nodes.scheduler.take().unwrap().kill().unwrap();
    ask().refused(7, &["nobody answers", &nodes.url, &format!("bedplate scheduler --bind {at}")]);
    let plan = care.cli(&["explain select ward from ward_beds"]);
    assert!(plan.code == Some(0) && plan.out.contains("DatasetScan"), "{plan:?}");
}
