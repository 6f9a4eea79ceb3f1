//! Tests of manifests: they pass what is right, and a folder of seeded bad configurations is caught, each for its reason.

use std::path::Path;
use std::sync::Arc;

use bedplate_plan::Manifest;
use bedplate_plan::check::{self, Outcome, Suite};
use bedplate_types::SystemClock;

fn manifests(path: &Path) -> Vec<Manifest> {
    let found = bedplate_client::load_manifests(path).unwrap();
    found
        .iter()
        .map(|one| Manifest {
            object: serde_json::to_value(&one.object).unwrap(),
            source: format!("{}:{}", one.file.display(), one.line),
        })
        .collect()
}

async fn run(folder: &Path, suite: &Path) -> Vec<Outcome> {
    let suite: Suite = serde_saphyr::from_str(&std::fs::read_to_string(suite).unwrap()).unwrap();
    let given: Vec<Manifest> = suite.given.iter().flat_map(|path| manifests(&folder.join(path))).collect();
    let scratch = tempfile::tempdir().unwrap();
    check::run(&suite, &manifests(&folder.join(&suite.manifests)), &given, scratch.path(), Arc::new(SystemClock), None)
        .await
        .unwrap()
}

#[tokio::test]
async fn every_seeded_bad_configuration_is_caught_for_its_own_reason() {
    let bad = bedplate_testkit::in_crate("tests/bad");
    let mut folders: Vec<_> =
        std::fs::read_dir(&bad).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    assert!(folders.len() >= 10, "{folders:?}");
    for folder in folders {
        let outcomes = run(&folder, &folder.join("caught.test.yaml")).await;
        let failed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.passed).collect();
        assert!(!outcomes.is_empty() && failed.is_empty(), "{}: {failed:#?}", folder.display());
    }
}

#[tokio::test]
async fn a_test_that_expects_otherwise_fails_and_says_how() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = "apiVersion: bedplate.dev/v1alpha1\nkind: Endpoint\nmetadata: {name: late}\n\
        spec: {model: m, capacity: {requestsPerSecond: 100, milliCpu: 1000, memoryMib: 512}}\n";
    std::fs::write(folder.path().join("endpoint.yaml"), endpoint).unwrap();
    let test = r#"
name: wrong
objects:
- apiVersion: bedplate.dev/v1alpha1
  kind: Site
  metadata: {name: eu-1, namespace: bedplate-system}
  spec: {provider: test, capacity: {milliCpu: 4000, memoryMib: 16384}}
- apiVersion: bedplate.dev/v1alpha1
  kind: Site
  metadata: {name: eu-2, namespace: bedplate-system}
  spec: {provider: test, priceFactors: {cpu_seconds: 200}, capacity: {milliCpu: 4000, memoryMib: 16384}}
tests:
- {name: verdict, expect: {verdict: denied}}
- {name: counts, expect: {counts: {create: 2, kinds: {Dataset: 1}}}}
- {name: path, expect: {paths: [{object: Endpoint default/late, path: spec.model, equals: other}]}}
- {name: absent, expect: {paths: [{object: Endpoint default/late, path: spec.model}]}}
- {name: cost, expect: {cost: {monthlyAtMost: "1"}}}
- {name: place, expect: {placement: [{object: Endpoint default/late, site: eu-2}]}}
- {name: finding, expect: {findings: [no such thing]}}
- {name: unplaced, expect: {unplaced: [Endpoint default/late]}}
- {name: replicas, load: [{endpoint: late, requestsPerSecond: 150}], expect: {replicas: {default/late: 3}}}
- {name: right, expect: {verdict: changes, placement: [{object: Endpoint default/late, site: eu-1}]}}
- {name: failover, fail: [eu-1], expect: {placement: [{object: Endpoint default/late, site: eu-2}]}}
- {name: nowhere, fail: [eu-1, eu-2], expect: {verdict: denied, unplaced: [Endpoint default/late]}}
- {name: load, load: [{endpoint: late, requestsPerSecond: 350}], expect: {replicas: {default/late: 4}, placement: [{object: Endpoint default/late, site: eu-1}]}}
- {name: overload, load: [{endpoint: late, requestsPerSecond: 450}], expect: {unplaced: [Endpoint default/late]}}
"#;
    std::fs::write(folder.path().join("wrong.test.yaml"), test).unwrap();
    let outcomes = run(folder.path(), &folder.path().join("wrong.test.yaml")).await;
    let (wrong, right) = outcomes.split_at(9);
    assert!(wrong.iter().all(|one| !one.passed && !one.failures[0].is_empty()), "{wrong:#?}");
    assert!(right.iter().all(|one| one.passed), "{right:#?}");
    let said: Vec<_> = wrong.iter().map(|one| one.failures[0].as_str()).collect();
    assert_eq!(said[0], "the verdict is changes, not denied");
    assert_eq!(said[2], "spec.model of Endpoint default/late is \"m\", not \"other\"");
    assert_eq!(said[5], "Endpoint default/late is on eu-1, not on eu-2");
    assert_eq!(said[8], "default/late has 2 replicas, not 3 replicas");
    let failover = right.iter().find(|one| one.test == "nowhere").unwrap();
    assert!(
        failover.told.iter().any(|told| told.contains("does not fit: eu-1: it is down; eu-2: it is down")),
        "{failover:?}"
    );
}
