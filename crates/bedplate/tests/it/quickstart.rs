//! The main job, on all of the data: every number the quickstart promises.

use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

use crate::run::{quickstart, said};

/// One run for all tests of this binary: it is the long one.
pub struct Done {
    pub home: tempfile::TempDir,
    pub summary: Value,
}

pub static DONE: LazyLock<Done> = LazyLock::new(|| {
    let home = tempfile::tempdir().unwrap();
    let summary = said(&mut quickstart(home.path(), &[])).json();
    Done { home, summary }
});

#[test]
fn every_row_is_ingested_and_the_bad_one_is_in_quarantine() {
    let dataset = &DONE.summary["dataset"];
    let rows = |table: &str| dataset["tables"][table]["rows"].as_u64();
    let found = ["flights", "weather", "planes", "airports", "airlines"].map(rows);
    assert_eq!(found, [336_776, 26_115, 3_322, 1_458, 16].map(Some));
    assert_eq!((dataset["rows"].as_u64(), dataset["quarantined"].as_u64()), (Some(336_776), Some(1)));
    let findings = dataset["findings"].to_string();
    assert!(findings.contains("1048.36") && findings.contains("9430 arrived"), "{findings}");
    assert!(findings.contains("EWR 27, JFK 24, LGA 24 hours missing"), "{findings}");
}

#[test]
fn no_label_row_is_dropped_and_the_model_is_good_signed_and_gated() {
    let set = &DONE.summary["training_set"];
    assert_eq!((set["rows"].as_u64(), set["label_rows_dropped"].as_u64()), (Some(327_346), Some(0)));
    let model = &DONE.summary["model"];
    assert!(model["auc"].as_f64().unwrap() >= 0.74, "{model}");
    assert_eq!((model["version"].as_u64(), model["signed"].as_bool()), (Some(1), Some(true)));
    assert!(model["digest"].as_str().unwrap().starts_with("sha256:"), "{model}");
    let gates = DONE.summary["gates"].as_array().unwrap();
    assert_eq!(gates.len(), 2);
    assert!(gates.iter().all(|gate| gate["passed"] == true), "{gates:?}");
}

#[test]
fn every_live_answer_equals_the_offline_one() {
    let serving = &DONE.summary["serving"];
    assert_eq!(serving["predictions"], 10_000);
    assert_eq!(serving["parity_share"], 1.0, "largest difference {}", serving["largest_difference"]);
    assert_eq!(serving["records_dropped"], 0);
    assert!(serving["p50_ms"].as_f64().unwrap() > 0.0 && serving["p99_ms"].as_f64() >= serving["p50_ms"].as_f64());
}

#[test]
fn the_online_store_says_what_the_sources_do_after_the_pushes() {
    let parity = &DONE.summary["parity"];
    assert_eq!((parity["views"].as_u64(), parity["different"].as_u64()), (Some(6), Some(0)), "{parity}");
    // All that was known by the newest push was pushed.
    assert_eq!((parity["expected"].as_u64(), &parity["equal"]), (Some(0), &parity["values"]), "{parity}");
    assert!(parity["values"].as_u64() > Some(2_000) && parity["entities"].as_u64() > Some(1_000), "{parity}");
    assert!(parity["pushed_rows"].as_u64() > Some(10_000), "{parity}");
}

#[test]
fn drift_trace_audit_and_cost_are_told() {
    let summary = &DONE.summary;
    let drift = summary["drift"].as_array().unwrap();
    assert_eq!(drift.len(), 22);
    for feature in drift {
        for figure in ["psi", "jensenShannon", "wasserstein", "missingShareReference", "missingShareCurrent"] {
            assert!(feature[figure].as_f64().is_some_and(f64::is_finite), "{figure} of {feature}");
        }
    }
    assert!(
        drift.iter().any(|one| one["feature"] == "weather__temp" && one["drifted"] == true),
        "December is not warm"
    );
    let months = summary["label_shift"].as_array().unwrap();
    assert!((12..=13).contains(&months.len()), "{months:?}");
    assert_eq!(summary["trace"]["complete"], true);
    assert!(summary["trace"]["hops"].as_u64().unwrap() >= 5);
    assert_eq!(summary["audit"]["verified"], true);
    assert!(summary["audit"]["leaves"].as_u64().unwrap() > 40);
    assert!(summary["cost"]["total"].as_str().unwrap().parse::<f64>().unwrap() > 0.0);
    assert_eq!(summary["cost"]["currency"], "EUR");
    assert!(summary["seconds"].as_f64().unwrap() > 0.0 && summary["peak_rss_mb"].as_f64().unwrap() > 10.0);
    assert!(summary["console_url"].as_str().unwrap().contains("/login?code="));
}

/// How many runs there have been.
pub fn runs(home: &Path) -> usize {
    std::fs::read_dir(home.join("runs/flights")).unwrap().count()
}
