//! A model that knows the outcome beforehand is refused, by what is declared and by what is measured.

use serde_json::Value;

use crate::run::{bedplate, quickstart, said, up};
use crate::small;

#[test]
fn a_feature_made_from_an_outcome_column_is_refused_before_training() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    small::write(folder.path());
    small::change(folder.path(), "60-training.yaml", "origin, dest,", "origin, dest, dep_delay,");
    small::change(
        folder.path(),
        "50-feature-service.yaml",
        "requestFeatures:",
        "requestFeatures:\n  - {name: departed_late, column: dep_delay}",
    );
    let refused = said(&mut quickstart(home.path(), &["--from", folder.path().to_str().unwrap()]));
    refused.refused(9, &["departed_late", "flights.dep_delay", "outcome"]);
    assert!(!home.path().join("runs/flights").exists(), "it was trained all the same");
}

#[test]
fn a_model_trained_with_the_departure_delay_under_another_name_is_refused_by_the_gate() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    small::write(folder.path());
    small::change(folder.path(), "60-training.yaml", "origin, dest,", "origin, dest, dep_delay AS taxi_minutes,");
    small::change(
        folder.path(),
        "50-feature-service.yaml",
        "requestFeatures:",
        "requestFeatures:\n  - {name: taxi_minutes, column: taxi_minutes}",
    );
    let refused = said(&mut quickstart(home.path(), &["--from", folder.path().to_str().unwrap()]));
    refused.refused(9, &["gate no-leak", "taxi_minutes", "AUC"]);
    let _platform = up(home.path(), &["--source-root", folder.path().to_str().unwrap()]);
    let model =
        said(&mut bedplate(home.path(), &["get", "model", "late-arrival", "-n", "flights", "-o", "json"])).json();
    assert_eq!(model["status"]["versions"].as_array().map_or(0, Vec::len), 0, "{}", model["status"]);
    assert_eq!(model["status"]["latest"], Value::Null);
}
