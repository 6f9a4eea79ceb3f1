//! What one object says of another is true.

use std::collections::BTreeSet;
use std::process::Command;

use bedplate_testkit::{not_run, program};
use serde_json::Value;

use super::{VALUES, folder, one, rendered};

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn named<'a>(objects: &'a [Value], kind: &str, name: &Value) -> Option<&'a Value> {
    objects.iter().find(|object| object["kind"] == kind && &object["metadata"]["name"] == name)
}

#[test]
fn names_selectors_and_ports_meet() {
    for values in VALUES {
        let Some(objects) = rendered(values) else { return };
        let pod = &one(&objects, "Deployment")["spec"]["template"];
        let container = &pod["spec"]["containers"][0];
        let ports: BTreeSet<&str> =
            container["ports"].as_array().unwrap().iter().filter_map(|port| port["name"].as_str()).collect();
        let selects = |selector: &Value| {
            let fields = selector.as_object().unwrap();
            !fields.is_empty() && fields.iter().all(|(name, value)| &pod["metadata"]["labels"][name] == value)
        };
        for object in &objects {
            match object["kind"].as_str().unwrap() {
                "Service" => {
                    assert!(selects(&object["spec"]["selector"]), "{values:?}: {object:#}");
                    for port in object["spec"]["ports"].as_array().unwrap() {
                        assert!(ports.contains(port["targetPort"].as_str().unwrap()), "{values:?}: {port}");
                    }
                }
                "Deployment" => assert!(selects(&object["spec"]["selector"]["matchLabels"]), "{values:?}"),
                "PodDisruptionBudget" => assert!(selects(&object["spec"]["selector"]["matchLabels"]), "{values:?}"),
                "NetworkPolicy" => {
                    assert!(selects(&object["spec"]["podSelector"]["matchLabels"]), "{values:?}");
                    let opened: BTreeSet<&str> = object["spec"]["ingress"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .flat_map(|rule| rule["ports"].as_array().unwrap())
                        .filter_map(|port| port["port"].as_str())
                        .collect();
                    assert_eq!(opened, ports, "{values:?}: what listens is opened, and nothing else");
                }
                "ValidatingWebhookConfiguration" => {
                    let service = &object["webhooks"][0]["clientConfig"]["service"];
                    let found = named(&objects, "Service", &service["name"]).expect("the webhook's Service");
                    assert_eq!(found["spec"]["ports"][0]["port"], service["port"], "{values:?}");
                    assert_eq!(service["path"], "/admit");
                }
                "ClusterRoleBinding" => {
                    assert!(named(&objects, "ClusterRole", &object["roleRef"]["name"]).is_some(), "{values:?}");
                    assert_eq!(object["subjects"][0]["name"], pod["spec"]["serviceAccountName"], "{values:?}");
                }
                _ => {}
            }
        }
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            assert!(ports.contains(container[probe]["httpGet"]["port"].as_str().unwrap()), "{values:?}: {probe}");
        }
        mounts(&objects, &pod["spec"], values);
    }
}

/// Every mount has its volume, and every volume what it is made of, here or there already.
fn mounts(objects: &[Value], pod: &Value, values: Option<&str>) {
    let volumes = pod["volumes"].as_array().unwrap();
    let mounted = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    let names = |list: &[Value]| -> BTreeSet<String> {
        list.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(volumes), names(mounted), "{values:?}");
    let brought = values == Some("existing");
    for volume in volumes {
        let claim = &volume["persistentVolumeClaim"]["claimName"];
        if claim.is_string() {
            assert!(brought || named(objects, "PersistentVolumeClaim", claim).is_some(), "{values:?}: {volume}");
        }
        let secret = &volume["secret"]["secretName"];
        if secret.is_string() {
            let made = named(objects, "Secret", secret).is_some()
                || objects
                    .iter()
                    .any(|object| object["kind"] == "Certificate" && &object["spec"]["secretName"] == secret);
            assert!(brought || made, "{values:?}: {volume}");
        }
    }
}

/// What the pod is told is what the binary understands.
#[test]
fn the_binary_takes_the_pods_arguments() {
    for values in VALUES {
        let Some(objects) = rendered(values) else { return };
        let container = &one(&objects, "Deployment")["spec"]["template"]["spec"]["containers"][0];
        let ask = |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_bedplate")).args(arguments).output().unwrap();
        let help = String::from_utf8_lossy(&ask(&["operator", "--help"]).stdout).into_owned();
        if !help.contains("--tls-cert") {
            return not_run("this bedplate does not speak TLS: the chart's pod would be told --tls-cert and not start");
        }
        let output = ask(&[texts(&container["args"]).as_slice(), &["--help"]].concat());
        assert!(output.status.success(), "{values:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!ask(&["operator", "--no-such", "--help"]).status.success(), "an unknown argument goes unnoticed");
    }
}

/// The generated certificate is good for both Services, and the cluster is told what to verify it with.
#[test]
fn the_generated_certificate_is_what_the_cluster_expects() {
    let Some(objects) = rendered(None) else { return };
    let Some(openssl) = program("openssl") else {
        return not_run("openssl is not on the PATH: the chart's generated certificate was not verified");
    };
    let secret = one(&objects, "Secret");
    let config = &one(&objects, "ValidatingWebhookConfiguration")["webhooks"][0]["clientConfig"];
    assert_eq!(config["caBundle"], secret["data"]["ca.crt"]);
    let folder = tempfile::tempdir().unwrap();
    for file in ["ca.crt", "tls.crt"] {
        let mut decode = Command::new(&openssl);
        let encoded = folder.path().join("encoded");
        std::fs::write(&encoded, secret["data"][file].as_str().unwrap()).unwrap();
        decode.args(["base64", "-d", "-A", "-in"]).arg(&encoded).arg("-out").arg(folder.path().join(file));
        assert!(decode.status().unwrap().success());
    }
    for object in objects.iter().filter(|object| object["kind"] == "Service") {
        let name = format!("{}.bedplate-system.svc", object["metadata"]["name"].as_str().unwrap());
        let mut verify = Command::new(&openssl);
        verify.args(["verify", "-purpose", "sslserver", "-verify_hostname", &name, "-CAfile"]);
        let output = verify.arg(folder.path().join("ca.crt")).arg(folder.path().join("tls.crt")).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// cert-manager fills in the bundle where it is asked to, and elsewhere it stands there.
#[test]
fn the_webhook_is_always_told_what_to_verify_with() {
    for values in VALUES {
        let Some(objects) = rendered(values) else { return };
        let Some(webhook) = objects.iter().find(|object| object["kind"] == "ValidatingWebhookConfiguration") else {
            assert_eq!(values, Some("minimal"));
            continue;
        };
        let injected = webhook["metadata"]["annotations"]["cert-manager.io/inject-ca-from"].as_str();
        let bundle = webhook["webhooks"][0]["clientConfig"]["caBundle"].is_string();
        if let Some(from) = injected {
            let certificate = one(&objects, "Certificate");
            assert_eq!(from, format!("bedplate-system/{}", certificate["metadata"]["name"].as_str().unwrap()));
        }
        assert!(injected.is_some() != bundle, "{values:?}");
        let rule = &webhook["webhooks"][0];
        assert_eq!((&rule["failurePolicy"], &rule["sideEffects"]), (&"Fail".into(), &"NoneOnDryRun".into()));
        assert_eq!(texts(&rule["rules"][0]["operations"]), ["CREATE", "UPDATE", "DELETE"]);
    }
}

#[test]
fn sql_runs_where_the_values_say() {
    let of = |values| Some(one(&rendered(values)?, "Deployment")["spec"]["template"]["spec"].clone());
    let (Some(without), Some(with)) = (of(None), of(Some("existing"))) else { return };
    assert!(!without.to_string().contains("--engine"), "{without:#}");
    let arguments = texts(&with["containers"][0]["args"]);
    let engines: Vec<&str> = arguments.iter().filter_map(|argument| argument.strip_prefix("--engine=")).collect();
    assert_eq!(engines, ["ballista://scheduler.sql.svc:50050", "local"]);
    let home = arguments.iter().find_map(|argument| argument.strip_prefix("--home=")).expect("its home");
    let values = std::fs::read_to_string(folder().join("values.yaml")).unwrap();
    assert!(values.contains(&format!("{home}/lake")), "where executors are to have the lake");
}

/// The address of a Redis, which may hold a password, comes from a Secret and is in no argument.
#[test]
fn the_online_store_elsewhere_is_named_by_a_secret() {
    let of = |values| Some(one(&rendered(values)?, "Deployment")["spec"]["template"]["spec"].clone());
    let (Some(without), Some(with)) = (of(None), of(Some("existing"))) else { return };
    assert!(!without.to_string().contains("ONLINE") && !without.to_string().contains("online"), "{without:#}");
    let container = &with["containers"][0];
    let address = &container["env"][0];
    assert_eq!((&address["name"], &address["value"]), (&"BEDPLATE_ONLINE".into(), &Value::Null));
    assert_eq!(address["valueFrom"]["secretKeyRef"], serde_json::json!({ "name": "redis", "key": "address" }));
    let arguments = texts(&container["args"]);
    let ca = arguments.iter().find_map(|argument| argument.strip_prefix("--online-ca=")).expect("its authority");
    let (folder, file) = ca.rsplit_once('/').unwrap();
    let mounts = container["volumeMounts"].as_array().unwrap();
    let mount = mounts.iter().find(|mount| mount["mountPath"] == folder).expect("its folder is mounted");
    let volumes = with["volumes"].as_array().unwrap();
    let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).expect("what is mounted");
    assert_eq!(volume["secret"]["items"][0], serde_json::json!({ "key": "ca.crt", "path": file }));
    assert!(arguments.contains(&"--online-may-lose"));
}
