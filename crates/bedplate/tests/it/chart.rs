//! The chart, rendered by helm and held against Kubernetes' own types.

mod promises;
mod strict;
mod wiring;

use std::path::PathBuf;
use std::process::Command;

use bedplate_testkit::{not_run, program};
use serde_json::Value;

/// Values files beside the chart's own, each another way to install it.
const VALUES: [Option<&str>; 4] = [None, Some("minimal"), Some("cert-manager"), Some("existing")];

fn folder() -> PathBuf {
    bedplate_testkit::in_crate("../../deploy/helm/bedplate")
}

fn helm(arguments: &[&str]) -> Option<std::process::Output> {
    let Some(helm) = program("helm") else {
        not_run("helm is not on the PATH: the chart was not rendered (cargo xtask test installs it)");
        return None;
    };
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(helm);
    command.env_clear().env("HOME", home.path()).arg("template").arg("platform").arg(folder());
    command.args(["--namespace", "bedplate-system"]).args(arguments);
    Some(command.output().unwrap())
}

/// Every object the chart makes with these values, the CRDs left out; `None` when there is no helm.
pub fn rendered(values: Option<&str>) -> Option<Vec<Value>> {
    let file = values.map(|name| folder().join(format!("ci/{name}.yaml")).display().to_string());
    let arguments: Vec<&str> = file.iter().flat_map(|file| ["-f", file.as_str()]).collect();
    let output = helm(&arguments)?;
    assert!(output.status.success(), "{values:?}: {}", String::from_utf8_lossy(&output.stderr));
    let objects: Vec<Value> = serde_saphyr::from_multiple(&String::from_utf8(output.stdout).unwrap()).unwrap();
    Some(objects.into_iter().filter(|object| !object.is_null()).collect())
}

/// The one object of a kind.
#[track_caller]
fn one<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    objects.iter().find(|object| object["kind"] == kind).unwrap_or_else(|| panic!("there is no {kind}"))
}
