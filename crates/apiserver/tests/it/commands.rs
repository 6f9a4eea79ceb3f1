//! kubectl's commands beyond the first ones.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use crate::kubectl::{Kubectl, until};
use crate::support::dataset;

#[test]
fn deletion_cascades_as_it_is_told() {
    let Some(kubectl) = Kubectl::new() else { return };
    for (cascade, left) in [("background", ""), ("foreground", ""), ("orphan", "configmap/child")] {
        kubectl.says(&["create", "configmap", "owner", "--from-literal=k=v"], &["created"]);
        let (_, uid) = kubectl.run(&["get", "cm", "owner", "-o", "jsonpath={.metadata.uid}"]);
        let owner =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid, "blockOwnerDeletion": true});
        let metadata = json!({"name": "child", "ownerReferences": [owner]});
        let child = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
        kubectl.says(&["create", "-f", &kubectl.write("child.json", &child)], &["configmap/child created"]);
        kubectl.says(&["delete", "cm", "owner", &format!("--cascade={cascade}")], &["\"owner\" deleted"]);
        let (_, names) = kubectl.run(&["get", "cm", "-o", "name"]);
        assert_eq!(names.trim().trim_start_matches("No resources found in default namespace."), left, "{cascade}");
    }
}

#[test]
fn callers_and_kinds_are_told_about() {
    let Some(kubectl) = Kubectl::new() else { return };
    kubectl.says(&["auth", "whoami"], &["Username", "user:admin", "system:masters"]);
    kubectl.says(
        &["auth", "can-i", "--list"],
        &["datasets.bedplate.dev", "[create delete deletecollection get", "/openapi/*"],
    );
    kubectl.says(&["get", "crd"], &["NAME", "CREATED AT", "datasets.bedplate.dev", "rolebindings.bedplate.dev"]);
    kubectl.says(
        &["get", "crd", "models.bedplate.dev", "-o", "yaml"],
        &["kind: CustomResourceDefinition", "openAPIV3Schema"],
    );
    kubectl
        .says(&["wait", "crd/models.bedplate.dev", "--for=condition=Established", "--timeout=5s"], &["condition met"]);
    kubectl.fails(&["delete", "crd", "models.bedplate.dev"], "built into bedplate");
    let spec = json!({"holderIdentity": "me", "leaseDurationSeconds": 5});
    let lease =
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"}, "spec": spec});
    kubectl.says(&["apply", "-f", &kubectl.write("l.json", &lease)], &["lease.coordination.k8s.io/l created"]);
    kubectl.says(&["get", "lease"], &["HOLDER", "me"]);
    kubectl.says(&["api-resources"], &["selfsubjectrulesreviews", "leases", "customresourcedefinitions"]);
    kubectl.says(&["explain", "lease.spec.holderIdentity"], &["FIELD: holderIdentity"]);
}

#[test]
fn kinds_are_selected_by_their_fields() {
    let Some(kubectl) = Kubectl::new() else { return };
    for (name, owner) in [("a", "red"), ("b", "blue")] {
        let mut object = dataset(name);
        object["spec"]["owner"] = owner.into();
        kubectl.says(&["create", "-f", &kubectl.write("d.json", &object)], &["created"]);
    }
    let (_, red) = kubectl.run(&["get", "ds", "--field-selector", "spec.owner=red", "-o", "name"]);
    assert_eq!(red.trim(), "dataset.bedplate.dev/a");
    kubectl.fails(&["get", "ds", "--field-selector", "spec.description=x"], "field label not supported");
}

#[test]
fn edit_and_diff_and_events() {
    let Some(kubectl) = Kubectl::new() else { return };
    let file = kubectl.write("a.json", &dataset("a"));
    kubectl.says(&["apply", "-f", &file], &["created"]);
    kubectl.says(&["diff", "-f", &file], &[]);
    let edited = kubectl.command(&["edit", "ds", "a"]).env("EDITOR", "sed -i s/team-a/team-e/").output().unwrap();
    assert!(String::from_utf8_lossy(&edited.stdout).contains("dataset.bedplate.dev/a edited"), "{edited:?}");
    let diff = kubectl.command(&["diff", "-f", &file]).output().unwrap();
    assert_eq!(diff.status.code(), Some(1), "a difference, not a failure: {diff:?}");
    let told = String::from_utf8_lossy(&diff.stdout).into_owned();
    assert!(told.contains("-  owner: team-e") && told.contains("+  owner: team-a"), "{told}");
    kubectl.says(&["get", "ds", "a", "-o", "jsonpath={.spec.owner}"], &["team-e"]);
    let wrong = kubectl.command(&["edit", "ds", "a"]).env("EDITOR", "sed -i s/int64/decimal/").output().unwrap();
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(!wrong.status.success() && said.contains("datasets.bedplate.dev \"a\" is invalid"), "{said}");
    let about = json!({"apiVersion": "bedplate.dev/v1alpha1", "kind": "Dataset", "name": "a", "namespace": "default"});
    for (name, type_) in [("e", "Normal"), ("f", "Warning")] {
        let event = json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": name}, "type": type_, "reason": format!("R{name}"),
            "message": "m", "involvedObject": about, "lastTimestamp": "2026-01-01T00:00:00Z",
        });
        kubectl.says(&["create", "-f", &kubectl.write("e.json", &event)], &["created"]);
    }
    kubectl.says(&["events"], &["Re", "Rf", "Dataset/a"]);
    let (_, warnings) = kubectl.run(&["events", "--types=Warning", "--for", "dataset/a"]);
    assert!(warnings.contains("Rf") && !warnings.contains("Re "), "{warnings}");
}

#[test]
fn wait_for_delete_and_delete_by_label_and_all() {
    let Some(kubectl) = Kubectl::new() else { return };
    for (name, tier) in [("a", "gold"), ("b", "gold"), ("c", "tin"), ("held", "tin")] {
        let mut object = dataset(name);
        object["metadata"]["labels"] = json!({ "tier": tier });
        if name == "held" {
            object["metadata"]["finalizers"] = json!(["x/y"]);
        }
        kubectl.says(&["create", "-f", &kubectl.write("d.json", &object)], &["created"]);
    }
    kubectl.says(&["delete", "ds", "-l", "tier=gold"], &["\"a\" deleted", "\"b\" deleted"]);
    kubectl.says(&["get", "ds", "-o", "name"], &["dataset.bedplate.dev/c", "dataset.bedplate.dev/held"]);
    kubectl.says(&["delete", "ds", "--all", "--wait=false"], &["\"c\" deleted", "\"held\" deleted"]);
    kubectl.fails(&["wait", "ds/held", "--for=delete", "--timeout=1s"], "timed out");
    let mut waiting = kubectl.command(&["wait", "ds/held", "--for=delete", "--timeout=20s"]);
    let mut waiting = waiting.stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    assert!(waiting.try_wait().unwrap().is_none(), "it is not gone yet");
    kubectl.says(&["patch", "ds", "held", "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#], &["patched"]);
    assert!(waiting.wait().unwrap().success());
}

/// A list in several parts, then a watch from its version; and again from where another watch was left.
#[test]
fn get_watch_goes_on_from_the_list_and_from_a_version() {
    let Some(kubectl) = Kubectl::new() else { return };
    for name in ["a", "b", "c"] {
        kubectl.says(&["create", "configmap", name, "--from-literal=k=v"], &["created"]);
    }
    let (_, from) = kubectl.run(&["get", "cm", "c", "-o", "jsonpath={.metadata.resourceVersion}"]);
    let seen = kubectl.path().join("watch.txt");
    let file = std::fs::File::create(&seen).unwrap();
    let arguments = ["get", "cm", "-w", "--chunk-size=1", "--output-watch-events"];
    let mut watching = kubectl.command(&arguments).stdout(file).stderr(Stdio::null()).spawn().unwrap();
    let read = || std::fs::read_to_string(&seen).unwrap();
    until(read, |text| text.lines().count() == 4);
    kubectl.says(&["delete", "cm", "b"], &["deleted"]);
    kubectl.says(&["create", "configmap", "d", "--from-literal=k=v"], &["created"]);
    let told = until(read, |text| text.lines().count() == 6);
    let told: Vec<Vec<_>> = told.lines().map(|line| line.split_whitespace().take(2).collect()).collect();
    let (event, rest) =
        (["EVENT", "NAME"], [["ADDED", "a"], ["ADDED", "b"], ["ADDED", "c"], ["DELETED", "b"], ["ADDED", "d"]]);
    assert!(told[0] == event && told[1..] == rest, "{told:?}");
    watching.kill().unwrap();
    watching.wait().unwrap();
    let path = format!("/api/v1/namespaces/default/configmaps?watch=1&timeoutSeconds=1&resourceVersion={from}");
    let (_, resumed) = kubectl.run(&["get", "--raw", &path]);
    let types: Vec<serde_json::Value> = resumed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let types: Vec<_> = types.iter().map(|event| (&event["type"], &event["object"]["metadata"]["name"])).collect();
    assert_eq!(types, [(&json!("DELETED"), &json!("b")), (&json!("ADDED"), &json!("d"))]);
}

#[test]
fn field_validation_is_strict_warns_or_is_silent() {
    let Some(kubectl) = Kubectl::new() else { return };
    let mut object = dataset("a");
    object["spec"]["onwer"] = "x".into();
    let file = kubectl.write("a.json", &object);
    kubectl.fails(&["create", "--validate=strict", "-f", &file], "unknown field \"spec.onwer\"");
    kubectl.fails(&["get", "ds", "a"], "not found");
    kubectl
        .says(&["create", "--validate=warn", "--dry-run=server", "-f", &file], &["Warning: unknown field", "created"]);
    let (done, said) = kubectl.run(&["create", "--validate=ignore", "-f", &file]);
    assert!(done && !said.contains("unknown field"), "{said}");
    let (_, left) = kubectl.run(&["get", "ds", "a", "-o", "jsonpath={.spec.onwer}{.spec.classification}"]);
    assert_eq!(left, "internal", "what is unknown is dropped, and what is left out has its default");
}

/// Two appliers own a column each; one that wants the other's is told whose it is.
#[test]
fn a_list_is_applied_by_the_key_of_its_items() {
    let Some(kubectl) = Kubectl::new() else { return };
    let apply = |manager: &str, file: &str, more: &[&str]| {
        let manager = format!("--field-manager={manager}");
        let arguments = [&["apply", "--server-side", &manager, "-f", file], more].concat();
        kubectl.run(&arguments)
    };
    let columns = |schema: serde_json::Value| {
        let mut object = dataset("a");
        object["spec"] = json!({ "schema": schema });
        object
    };
    let first = kubectl.write("first.json", &dataset("a"));
    let second = kubectl.write("second.json", &columns(json!([{ "name": "extra", "type": "string" }])));
    assert!(apply("first", &first, &[]).0);
    let (done, said) = apply("second", &second, &[]);
    assert!(done, "{said}");
    kubectl.says(&["get", "ds", "a", "-o", "jsonpath={.spec.schema[*].name}"], &["id extra"]);
    assert!(apply("first", &first, &[]).0, "what the other brought is not in the way");
    kubectl.says(&["get", "ds", "a", "-o", "jsonpath={.spec.schema[*].name}"], &["id extra"]);
    let contested = kubectl.write("contested.json", &columns(json!([{ "name": "id", "type": "string" }])));
    let (done, said) = apply("second", &contested, &[]);
    assert!(!done && said.contains("conflict with \"first\"") && said.contains("id"), "{said}");
    let (done, said) = apply("second", &contested, &["--force-conflicts"]);
    assert!(done, "{said}");
    kubectl.says(&["get", "ds", "a", "-o", "jsonpath={.spec.schema[?(@.name=='id')].type}"], &["string"]);
    let twice = kubectl.write("twice.json", &{
        let mut object = dataset("b");
        object["spec"]["schema"] = json!([{ "name": "id", "type": "int64" }, { "name": "id", "type": "string" }]);
        object
    });
    kubectl.fails(&["create", "-f", &twice], "spec.schema[1]: Duplicate value");
}

#[test]
fn raw_paths_and_categories() {
    let Some(kubectl) = Kubectl::new() else { return };
    kubectl.says(&["get", "--raw", "/readyz"], &["ok"]);
    kubectl.says(&["get", "--raw", "/apis/bedplate.dev/v1alpha1"], &["APIResourceList", "datasets/status"]);
    kubectl.fails(&["get", "--raw", "/apis/nothing.dev/v1"], "could not find");
    kubectl.says(
        &["api-resources", "--categories=bedplate", "-o", "name"],
        &["datasets.bedplate.dev", "models.bedplate.dev"],
    );
    kubectl.says(&["create", "-f", &kubectl.write("a.json", &dataset("a"))], &["created"]);
    kubectl.says(&["get", "bedplate"], &["dataset.bedplate.dev/a"]);
}
