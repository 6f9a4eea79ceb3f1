//! A platform whose SQL runs on a cluster: through every door the same as without one.

use std::process::Command;

use bedplate_testkit::{not_run, python};
use serde_json::Value;

use super::scheduler;
use crate::run::said;
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

/// Its cluster has no executors: what is answered was answered by the platform itself.
#[test]
fn a_statement_says_where_it_runs_of_what_there_is() {
    let nodes = scheduler();
    let care = care_with(&["--engine", &nodes.url, "--engine", "local"]);
    let told = care.server.said();
    assert!(told.contains(&format!("sql runs   on {}; where a statement says so on local", nodes.url)), "{told}");
    let count = "select count(*) as beds from ward_beds";
    care.cli(&[count]).refused(7, &["no executors"]);
    let here = care.cli(&["--engine", "local", "-o", "csv", count]);
    assert_eq!((here.code, here.out.as_str()), (Some(0), "beds\n2\n"), "{here:?}");
    care.cli(&["--engine", &nodes.url, count]).refused(7, &["no executors"]);
    let other = ["--engine", "ballista://127.0.0.1:9", count];
    let both = format!("{} and local", nodes.url);
    care.cli(&other).refused(3, &["ballista://127.0.0.1:9 is no engine of this platform", &both, "--engine local"]);
    care.cli(&["--engine", "here", count]).refused(3, &["\"here\" is no engine", "write local"]);
    let log = care.api.log();
    let leaves = log.iter().map(|leaf| leaf.get("entry").unwrap_or(leaf)).filter(|leaf| leaf["action"] == "read-data");
    let engines: Vec<&str> = leaves.map(|leaf| leaf["detail"]["engine"].as_str().unwrap()).collect();
    assert_eq!(engines, [&*nodes.url, "local", &nodes.url], "one that is nowhere to run reads nothing");
}

#[test]
fn flight_sql_s_driver_says_where_a_statement_runs() {
    let Some(python) = python() else {
        return not_run("an engine by the ADBC driver: no Python environment with adbc-driver-flightsql");
    };
    let nodes = scheduler();
    let care = care_with(&["--engine", &nodes.url, "--engine", "local"]);
    let script = bedplate_testkit::in_crate("tests/it/flight_engine.py");
    let arguments = [&crate::flight::url(&care), &care.token("editor"), &nodes.url];
    let told = said(Command::new(python).arg(script).args(arguments));
    assert_eq!(told.code, Some(0), "{}\n{}", told.out, told.err);
    let told: Value = serde_json::from_str(told.out.lines().last().unwrap()).unwrap();
    assert_eq!(told["local"], 2);
    assert!(told["default"].as_str().unwrap().contains("no executors"), "{told}");
    assert!(told["cluster"].as_str().unwrap().contains("no executors"), "{told}");
    assert!(told["unknown"].as_str().unwrap().contains("is no engine of this platform"), "{told}");
    assert!(told["wrong"].as_str().unwrap().contains("write local"), "{told}");
}
