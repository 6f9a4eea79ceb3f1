//! `bedplate crds`, read as a cluster would read it.

use std::process::Command;

use bedplate_kinds::registry::kinds;
use bedplate_testkit::{not_run, program};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use crate::run::{bedplate, said};

fn crds(arguments: &[&str]) -> String {
    let home = std::path::Path::new("/nonexistent/home");
    let said = said(&mut bedplate(home, &[&["crds"], arguments].concat()));
    assert_eq!(said.code, Some(0), "no home and no platform is needed: {said:?}");
    said.out
}

#[test]
fn yaml_and_json_are_the_definitions() {
    let expected: Vec<CustomResourceDefinition> = kinds().into_iter().map(|kind| kind.definition).collect();
    let yaml: Vec<CustomResourceDefinition> = serde_saphyr::from_multiple(&crds(&[])).unwrap();
    assert_eq!(yaml, expected);
    let list: Value = serde_json::from_str(&crds(&["-o", "json"])).unwrap();
    let json: Vec<CustomResourceDefinition> = serde_json::from_value(list["items"].clone()).unwrap();
    assert_eq!((&list["kind"], json), (&Value::from("List"), expected));
    let one: Vec<CustomResourceDefinition> = serde_saphyr::from_multiple(&crds(&["ds"])).unwrap();
    assert_eq!(one[0].spec.names.kind, "Dataset");
    assert_eq!(crds(&["-o", "name"]).lines().count(), kinds().len());
    let home = tempfile::tempdir().unwrap();
    said(&mut bedplate(home.path(), &["crds", "rockets"])).refused(5, &["rockets", "bedplate crds -o name"]);
}

#[test]
fn kubectl_reads_them() {
    if program("kubectl").is_none() {
        return not_run("kubectl is not on the PATH: the definitions were not read by it");
    }
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in [("crds.yaml", crds(&[])), ("crds.json", crds(&["-o", "json"]))] {
        let path = folder.path().join(file);
        std::fs::write(&path, text).unwrap();
        let mut kubectl = Command::new("kubectl");
        // It needs no cluster for what it does to a file alone.
        kubectl.env("KUBECONFIG", "/nonexistent").args(["annotate", "--local", "read=it", "-o", "name", "-f"]);
        let output = kubectl.arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(said.lines().count(), kinds().len(), "{said}");
        assert!(said.contains("customresourcedefinition.apiextensions.k8s.io/datasets.bedplate.dev"), "{said}");
    }
}
