//! What the chart promises: a pod that may little, no value without an effect, and an image file that is true.

use serde_json::Value;

use super::{VALUES, folder, one, rendered};

#[test]
fn the_pod_may_little() {
    for values in VALUES {
        let Some(objects) = rendered(values) else { return };
        let deployment = one(&objects, "Deployment");
        assert_eq!(
            (&deployment["spec"]["replicas"], &deployment["spec"]["strategy"]["type"]),
            (&1.into(), &"Recreate".into())
        );
        let pod = &deployment["spec"]["template"]["spec"];
        let security = &pod["securityContext"];
        assert_eq!(security["runAsNonRoot"], true, "{values:?}");
        assert!(security["runAsUser"].as_u64() > Some(0) && security["fsGroup"].as_u64() > Some(0), "{values:?}");
        assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault", "{values:?}");
        for host in ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"] {
            assert!(pod.get(host).is_none(), "{values:?}: {host}");
        }
        let container = &pod["containers"][0];
        let security = &container["securityContext"];
        assert_eq!(security["allowPrivilegeEscalation"], false, "{values:?}");
        assert_eq!(security["readOnlyRootFilesystem"], true, "{values:?}");
        assert_eq!(security["capabilities"]["drop"], serde_json::json!(["ALL"]), "{values:?}");
        assert!(security["capabilities"].get("add").is_none(), "{values:?}");
        assert!(container["resources"]["requests"]["memory"].is_string(), "{values:?}");
        assert!(container["resources"]["limits"]["memory"].is_string(), "{values:?}");
        let written: Vec<&str> = container["volumeMounts"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|mount| mount["readOnly"] != true)
            .filter_map(|mount| mount["mountPath"].as_str())
            .collect();
        assert_eq!(written, ["/var/lib/bedplate", "/tmp"], "{values:?}");
        for volume in pod["volumes"].as_array().unwrap() {
            assert!(volume.get("hostPath").is_none(), "{values:?}: {volume}");
        }
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            assert_eq!(container[probe]["httpGet"]["scheme"], "HTTPS", "{values:?}: {probe}");
        }
    }
}

/// No role has a wildcard, a Secret that is not named, or a right to act as somebody else.
#[test]
fn roles_are_narrow() {
    for values in VALUES {
        let Some(objects) = rendered(values) else { return };
        for role in objects.iter().filter(|object| object["kind"] == "ClusterRole") {
            let told = role["rules"].to_string();
            for forbidden in ["\"*\"", "secrets", "impersonate", "escalate", "bind\"", "pods", "tokenreviews"] {
                assert!(!told.contains(forbidden), "{values:?}: {forbidden} in {told}");
            }
        }
        for role in objects.iter().filter(|object| object["kind"] == "Role") {
            for rule in role["rules"].as_array().unwrap() {
                assert!(rule["resourceNames"].as_array().is_some_and(|names| !names.is_empty()), "{values:?}: {rule}");
                assert_eq!(rule["verbs"], serde_json::json!(["get"]), "{values:?}");
            }
        }
    }
}

/// Every value is read by a template, and every value a template reads is there.
#[test]
fn every_value_has_an_effect() {
    let values: Value =
        serde_saphyr::from_str(&std::fs::read_to_string(folder().join("values.yaml")).unwrap()).unwrap();
    let mut templates = String::new();
    for entry in std::fs::read_dir(folder().join("templates")).unwrap() {
        templates.push_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    let mut leaves = Vec::new();
    collect(&values, "", &mut leaves);
    for leaf in &leaves {
        let whole = std::iter::successors(Some(leaf.as_str()), |path| path.rsplit_once('.').map(|(parent, _)| parent));
        let read = whole
            .map(|path| format!(".Values.{path} "))
            .any(|path| templates.replace([')', '}', '|'], " ").contains(&path));
        assert!(read, "no template reads {leaf}");
    }
    for read in templates.split(".Values.").skip(1) {
        let end = read.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(read.len());
        let mut value = &values;
        for step in read[..end].split('.') {
            value = value.get(step).unwrap_or_else(|| panic!("values.yaml has no {}", &read[..end]));
        }
    }
}

fn collect(value: &Value, path: &str, leaves: &mut Vec<String>) {
    match value.as_object().filter(|fields| !fields.is_empty()) {
        Some(fields) => fields.iter().for_each(|(name, inner)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            collect(inner, &path, leaves);
        }),
        None => leaves.push(path.to_owned()),
    }
}

/// The image cannot be built where tests run; what its file says can be held against the repository.
#[test]
fn the_image_file_is_true() {
    let file = std::fs::read_to_string(folder().join("../../Dockerfile")).unwrap();
    let workspace = std::fs::read_to_string(folder().join("../../../Cargo.toml")).unwrap();
    let rust = env!("CARGO_PKG_RUST_VERSION");
    assert!(file.contains(&format!("FROM rust:{rust}-")), "it builds with Rust {rust}");
    assert!(file.contains("--profile dist") && workspace.contains("[profile.dist]"));
    assert!(file.contains("FROM debian:stable-slim") && file.contains("USER 65532:65532"));
    assert!(file.contains(r#"ENTRYPOINT ["/usr/local/bin/bedplate"]"#));
    let chart = std::fs::read_to_string(folder().join("Chart.yaml")).unwrap();
    assert!(chart.contains(&format!("appVersion: {}", env!("CARGO_PKG_VERSION"))), "the chart's version of bedplate");
}
