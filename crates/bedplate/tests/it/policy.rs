//! `bedplate policy`: schema, validation and tests of policies without a platform; policies that count, decisions and their
//! reasons with one.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::run::{Said, bedplate, quickstart, said, up};
use crate::small;

const POLICY: &str = "\
apiVersion: bedplate.dev/v1alpha1
kind: Policy
metadata: {name: guests, namespace: flights}
spec:
  cedar: |
    @id(\"no-models\")
    @why(\"guests see no models: ask flight-operations\")
    forbid (principal in Team::\"guests\", action, resource is Model);
";

const CASES: &str = "\
grants:
- {principal: \"user:ana\", namespace: flights, role: viewer}
cases:
- name: a guest sees no model
  principal: user:ana
  groups: [guests]
  action: get
  resource: {kind: Model, namespace: flights, name: late}
  expect: deny
  by: [flights/guests/no-models]
- name: a guest sees datasets
  principal: user:ana
  groups: [guests]
  action: Dataset.get
  resource: {kind: Dataset, namespace: flights}
  expect: allow
  by: [viewer-reads]
- name: health data is not trained from
  principal: system:controllers
  action: train
  resource: {kind: Dataset, namespace: flights, tags: {classification: phi}}
  expect: deny
  by: [no-phi-training]
";

fn policy(home: &Path, arguments: &[&str]) -> Said {
    said(&mut bedplate(home, &[&["policy"], arguments].concat()))
}

#[test]
fn policies_are_checked_and_tested_without_a_platform() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let schema = policy(folder.path(), &["schema"]);
    assert!(schema.code == Some(0) && schema.out.contains("action \"Dataset.train\" in [\"train\"]"), "{schema:?}");

    policy(folder.path(), &["validate", place]).refused(3, &["no policy"]);
    policy(folder.path(), &["test", place]).refused(3, &["policytest.yaml"]);
    write("guests.yaml", POLICY);
    write("flights.policytest.yaml", CASES);
    assert_eq!(policy(folder.path(), &["validate", place]).code, Some(0));
    let passed = policy(folder.path(), &["test", place, "-o", "json"]).json();
    assert_eq!((&passed["passed"], &passed["failed"]), (&json!(3), &json!(0)), "{passed}");

    for (from, to, word) in [
        ("expect: allow", "expect: deny", "expected deny, got allow"),
        ("by: [no-phi-training]", "by: [residency]", "expected deny, got deny"),
        ("action: train", "action: fly", "no action \"fly\""),
        ("kind: Model", "kind: Modell", "no kind \"Modell\""),
    ] {
        write("flights.policytest.yaml", &CASES.replacen(from, to, 1));
        let failed = policy(folder.path(), &["test", place]);
        assert_eq!(failed.code, Some(9), "{failed:?}");
        assert!(
            failed.out.contains("FAILED") && failed.out.contains(word) && failed.out.contains("2 passed, 1 failed"),
            "{}",
            failed.out
        );
    }
    write("flights.policytest.yaml", &CASES.replacen("expect: deny", "expct: deny", 1));
    policy(folder.path(), &["test", place]).refused(3, &["flights.policytest.yaml:", "expct"]);
    write("flights.policytest.yaml", CASES);
    write("guests.yaml", &POLICY.replace("resource is Model", "resource is Modell"));
    let flawed = policy(folder.path(), &["validate", place]);
    assert_eq!(flawed.code, Some(3));
    assert!(flawed.out.contains("flights/guests: line 3, column") && flawed.out.contains("Modell"), "{}", flawed.out);
    policy(folder.path(), &["test", place]).refused(3, &["flights/guests", "Modell"]);
    write("guests.yaml", POLICY);
    write("late.cedar", "forbid (principal, action, resource) when { resource.knid == \"x\" };");
    let flawed = policy(folder.path(), &["validate", place, "-o", "json"]);
    let told: Value = serde_json::from_str(&flawed.out).unwrap();
    assert_eq!(
        (&told["flaws"][0]["policy"], &told["flaws"][0]["at"]["line"]),
        (&json!("bedplate-system/late"), &json!(1))
    );
}

#[test]
fn a_policy_counts_when_it_is_applied_and_every_decision_is_told_with_its_reason() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let _platform = up(home.path(), &[]);
    let run = |arguments: &[&str]| said(&mut bedplate(home.path(), arguments));
    let apply = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).unwrap();
        run(&["apply", "-f", folder.path().join(name).to_str().unwrap()])
    };
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: flights}\n";
    let binding = "apiVersion: bedplate.dev/v1alpha1\nkind: RoleBinding\nmetadata: {name: ana, namespace: flights}\n\
        spec: {role: editor, subjects: [{kind: User, name: ana}]}\n";
    assert_eq!(apply("base.yaml", &format!("{namespace}---\n{binding}")).code, Some(0));
    let why = |more: &[&str]| {
        let asked = ["policy", "why", "get", "model", "late", "-n", "flights", "--as", "user:ana", "--group", "guests"];
        run(&[asked.as_slice(), more].concat())
    };
    assert_eq!((why(&[]).code, why(&[]).out.contains("allowed by editor-works")), (Some(0), true));

    let bad = apply("bad.yaml", &POLICY.replace("Team::", "Group::"));
    assert_eq!(bad.code, Some(3), "{bad:?}");
    assert!(bad.err.contains("spec.cedar: line 3, column"), "{}", bad.err);
    let stray = apply("bad.yaml", &POLICY.replace("resource is Model", "resource == Model::\"rides/m\""));
    assert!(stray.code == Some(3) && stray.err.contains("rides/m"), "{stray:?}");

    assert_eq!(apply("guests.yaml", POLICY).code, Some(0));
    let denied = why(&[]);
    assert_eq!(denied.code, Some(4), "{denied:?}");
    assert!(
        denied
            .out
            .contains("forbidden by policy flights/guests/no-models: guests see no models: ask flight-operations"),
        "{}",
        denied.out
    );
    let told: Value = serde_json::from_str(&why(&["-o", "json"]).out).unwrap();
    assert_eq!((&told["allowed"], &told["policies"]), (&json!(false), &json!(["flights/guests/no-models"])));

    // What is asked for real is written down.
    let token =
        run(&["token", "create", "ana", "-g", "guests", "--kubeconfig", folder.path().join("ana").to_str().unwrap()]);
    assert_eq!(token.code, Some(0), "{token:?}");
    let ana = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join("ana"), ana.path().join("kubeconfig")).unwrap();
    let refused = said(&mut bedplate(ana.path(), &["get", "models", "-n", "flights"]));
    refused.refused(4, &["flights/guests/no-models"]);
    let mut found = Value::Null;
    for _ in 0..50 {
        found = run(&["policy", "decisions", "-n", "flights", "--denied", "-o", "json"]).json();
        if found["decisions"].as_array().is_some_and(|all| !all.is_empty()) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let first = &found["decisions"][0];
    let words = ["principal", "action", "kind", "namespace"].map(|field| first[field].as_str().unwrap_or_default());
    assert_eq!(words, ["user:ana", "list", "Model", "flights"], "{found}");
    assert_eq!(first["policies"], json!(["flights/guests/no-models"]));
    assert!(found["decisions"].as_array().unwrap().iter().all(|one| one["allowed"] == false));
    let others = said(&mut bedplate(ana.path(), &["policy", "decisions", "-n", "flights"]));
    others.refused(4, &["ask an owner"]);

    assert_eq!(run(&["delete", "policy", "guests", "-n", "flights"]).code, Some(0));
    assert_eq!(why(&[]).code, Some(0));
}

#[test]
fn a_recipe_is_not_trained_against_the_purpose_of_its_data_and_its_model_is_bound_by_it() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    small::write(folder.path());
    let from = folder.path().to_str().unwrap();
    let run = || said(&mut quickstart(home.path(), &["--from", from, "--timeout", "3m"]));
    small::change(
        folder.path(),
        "10-datasets.yaml",
        "tags: {licence: CC0, source: nycflights13}",
        "tags: {licence: CC0, purpose: \"operations, research\"}",
    );
    run().refused(4, &["flights", "forbidden by policy purpose-limitation", "spec.purpose"]);
    small::change(
        folder.path(),
        "60-training.yaml",
        "model: late-arrival",
        "model: late-arrival\n  purpose: marketing",
    );
    run().refused(4, &["for purpose marketing", "purpose-limitation"]);
    let tags = "purpose: \"operations, research\"";
    small::change(folder.path(), "10-datasets.yaml", tags, &format!("residency: eu, {tags}"));
    small::change(folder.path(), "60-training.yaml", "purpose: marketing", "purpose: operations");
    let elsewhere = said(&mut quickstart(home.path(), &["--from", from, "--timeout", "3m", "--site", "us-east-1"]));
    elsewhere.refused(4, &["at site us-east-1", "forbidden by policy residency"]);
    assert!(!home.path().join("runs/flights").exists(), "it was trained all the same");
    let run = || said(&mut quickstart(home.path(), &["--from", from, "--timeout", "3m", "--site", "eu-west-1"]));
    run().json();

    let _platform = up(home.path(), &["--source-root", from]);
    let model =
        said(&mut bedplate(home.path(), &["get", "model", "late-arrival", "-n", "flights", "-o", "json"])).json();
    assert_eq!(
        model["status"]["versions"][0]["tags"]["purposes"],
        json!(["operations", "research"]),
        "{}",
        model["status"]
    );
    let predict = |more: &[&str]| {
        said(&mut bedplate(
            home.path(),
            &[&["predict", "late-arrival", "-n", "flights", "-s", "carrier=UA"], more].concat(),
        ))
    };
    // The serving of the model begins a moment after the platform is up.
    let mut refused = predict(&[]);
    for _ in 0..100 {
        if refused.err.contains("purpose-limitation") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        refused = predict(&[]);
    }
    refused.refused(4, &["forbidden by policy purpose-limitation", "x-bedplate-purpose"]);
    predict(&["--purpose", "marketing"]).refused(4, &["for purpose marketing", "purpose-limitation"]);
    let asked = predict(&["--purpose", "research"]);
    assert!(!asked.err.contains("purpose-limitation"), "{asked:?}");
}

#[test]
fn health_data_is_not_trained_from_and_nobody_declares_it_harmless() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    small::write(folder.path());
    let from = folder.path().to_str().unwrap();
    let run = || said(&mut quickstart(home.path(), &["--from", from, "--timeout", "3m"]));
    small::change(
        folder.path(),
        "10-datasets.yaml",
        "tags: {licence: CC0, source: nycflights13}",
        "tags: {deidentified: \"true\"}",
    );
    run().refused(3, &["spec.tags.deidentified", "by the platform only"]);
    small::change(folder.path(), "10-datasets.yaml", "tags: {deidentified: \"true\"}", "tags: {}");
    small::change(folder.path(), "10-datasets.yaml", "classification: public", "classification: phi");
    run().refused(4, &["flights", "forbidden by policy no-phi-training", "de-identified"]);
    assert!(!home.path().join("runs/flights").exists(), "it was trained all the same");
}
