//! Nothing is rendered that Kubernetes does not know.

use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{VALUES, helm, rendered};

/// cert-manager's Certificate, as far as the chart says one.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Certificate {
    api_version: String,
    kind: String,
    metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
    spec: CertificateSpec,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CertificateSpec {
    secret_name: String,
    duration: String,
    private_key: std::collections::BTreeMap<String, Value>,
    usages: Vec<String>,
    dns_names: Vec<String>,
    issuer_ref: std::collections::BTreeMap<String, String>,
}

/// Read into its type and written out again it must be what it was: a field the type does not know would be gone.
fn known<K: DeserializeOwned + Serialize>(object: &Value) -> Result<(), String> {
    let read: K = serde_json::from_value(object.clone()).map_err(|error| error.to_string())?;
    let mut written = serde_json::to_value(read).map_err(|error| error.to_string())?;
    let mut object = object.clone();
    [&mut written, &mut object].into_iter().for_each(drop_nulls);
    if written == object { Ok(()) } else { Err(format!("read as {written:#}")) }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, inner| !inner.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn check(object: &Value) -> Result<(), String> {
    match (object["apiVersion"].as_str().unwrap_or_default(), object["kind"].as_str().unwrap_or_default()) {
        ("apps/v1", "Deployment") => known::<Deployment>(object),
        ("v1", "PersistentVolumeClaim") => known::<PersistentVolumeClaim>(object),
        ("v1", "Secret") => known::<Secret>(object),
        ("v1", "Service") => known::<Service>(object),
        ("v1", "ServiceAccount") => known::<ServiceAccount>(object),
        ("networking.k8s.io/v1", "NetworkPolicy") => known::<NetworkPolicy>(object),
        ("policy/v1", "PodDisruptionBudget") => known::<PodDisruptionBudget>(object),
        ("rbac.authorization.k8s.io/v1", "ClusterRole") => known::<ClusterRole>(object),
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding") => known::<ClusterRoleBinding>(object),
        ("rbac.authorization.k8s.io/v1", "Role") => known::<Role>(object),
        ("rbac.authorization.k8s.io/v1", "RoleBinding") => known::<RoleBinding>(object),
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration") => {
            known::<ValidatingWebhookConfiguration>(object)
        }
        ("cert-manager.io/v1", "Certificate") => known::<Certificate>(object),
        (version, kind) => Err(format!("the test knows no {kind} of {version}")),
    }
}

#[test]
fn every_object_is_one_kubernetes_knows() {
    for values in VALUES {
        let Some(objects) = rendered(values) else { return };
        assert!(objects.len() >= 5, "{values:?}: {} objects", objects.len());
        for object in &objects {
            let what = format!("{values:?}: {} {}", object["kind"], object["metadata"]["name"]);
            check(object).unwrap_or_else(|why| panic!("{what}: {why}\n{object:#}"));
        }
    }
}

/// The check itself: a misspelt field, a wrong type, an unknown kind.
#[test]
fn what_kubernetes_does_not_know_is_found() {
    let service = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "s" },
                          "spec": { "ports": [{ "port": 80, "targetPort": "http" }] } });
    check(&service).unwrap();
    for (path, value) in
        [("/spec/ports/0", json!({ "port": 80, "targetprot": 1 })), ("/spec/ports/0/port", json!("80"))]
    {
        let mut wrong = service.clone();
        *wrong.pointer_mut(path).unwrap() = value;
        assert!(check(&wrong).is_err(), "{path}");
    }
    assert!(check(&json!({ "apiVersion": "v1", "kind": "Pod" })).is_err());
}

/// Values that are misspelt, of the wrong type or out of bounds are refused before anything is rendered.
#[test]
fn wrong_values_are_refused() {
    for (set, words) in [
        ("persistance.enabled=false", "persistance"),
        ("webhook.failurePolicy=Maybe", "failurePolicy"),
        ("webhook.timeoutSeconds=300", "timeoutSeconds"),
        ("image.digest=latest", "digest"),
        ("persistence.size=plenty", "size"),
        ("tls.mode=off", "mode"),
        ("tls.mode=certManager", "tls.certManager.issuerRef.name"),
        ("tls.mode=existingSecret", "tls.existingSecret"),
        ("serviceAccount.create=false", "serviceAccount.name"),
        ("sources[0].name=Data", "name"),
        ("online.url=redis://:secret@h", "url"),
        ("online.key=a/b", "key"),
        ("sqlEngines[0]=http://scheduler:1", "sqlEngines"),
    ] {
        let Some(output) = helm(&["--set", set]) else { return };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words), "{set}: {said}");
    }
}
