//! `apply`: server-side apply of one object.

use kube::Client;
use serde_json::Value;

use crate::error::ClientError;
use crate::get::Scope;
use crate::manifest::Manifest;
use crate::request::{JSON, get, query, request, send, send_warned};
use crate::resource::Resources;

/// Server-side apply sends JSON under this media type; JSON is YAML.
const APPLY: &str = "application/apply-patch+yaml";

/// What became of one manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// `dataset.bedplate.dev/flights`
    pub object: String,
    pub namespace: Option<String>,
    pub outcome: Outcome,
    /// What the server warned of.
    pub warnings: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Created,
    Configured,
    Unchanged,
}

impl Outcome {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
        }
    }
}

/// Applies one manifest; conflicts with other managers are forced, unknown fields are refused.
/// An object that says no namespace goes to `namespace`.
pub async fn apply(
    client: &Client,
    resources: &Resources,
    manifest: &Manifest,
    namespace: &str,
    manager: &str,
) -> Result<Applied, ClientError> {
    let resource = resources.of_object(manifest.api_version(), manifest.kind())?;
    let scope = scope(resource.namespaced, manifest, namespace);
    let path = resource.object_path(&scope, manifest.name());
    let before = now(client, &path).await?;
    let asked = query(&[("fieldManager", Some(manager)), ("force", Some("true")), ("fieldValidation", Some("Strict"))]);
    let body = serde_json::to_vec(&manifest.object).map_err(|error| unsendable(&path, &error))?;
    let mut patch = request("PATCH", &format!("{path}{asked}"), JSON, body)?;
    patch.headers_mut().insert("content-type", http::HeaderValue::from_static(APPLY));
    let (after, warnings): (Value, _) = send_warned(client, patch).await?;
    let outcome = outcome(before, after);
    let namespace = namespace_of(&scope);
    Ok(Applied { object: format!("{}/{}", resource.qualified(), manifest.name()), namespace, outcome, warnings })
}

pub(crate) fn scope(namespaced: bool, manifest: &Manifest, otherwise: &str) -> Scope {
    if !namespaced {
        return Scope::All;
    }
    let own = manifest.object.metadata.namespace.clone();
    Scope::Namespace(own.unwrap_or_else(|| otherwise.to_owned()))
}

pub(crate) fn namespace_of(scope: &Scope) -> Option<String> {
    match scope {
        Scope::Namespace(namespace) => Some(namespace.clone()),
        Scope::All => None,
    }
}

async fn now(client: &Client, path: &str) -> Result<Option<Value>, ClientError> {
    match send(client, get(path, JSON)?).await {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn outcome(before: Option<Value>, after: Value) -> Outcome {
    let Some(before) = before else { return Outcome::Created };
    if declared(before) == declared(after) { Outcome::Unchanged } else { Outcome::Configured }
}

/// An object without what controllers may have told meanwhile: its status, and what comes with it.
fn declared(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    let Some(metadata) = object["metadata"].as_object_mut() else { return object };
    metadata.remove("resourceVersion");
    if let Some(managers) = metadata.get_mut("managedFields").and_then(Value::as_array_mut) {
        managers.retain(|manager| manager["subresource"] != "status");
    }
    object
}

fn unsendable(path: &str, error: &serde_json::Error) -> ClientError {
    ClientError::Answer { what: format!("PATCH {path}"), why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(spec: i64, phase: &str) -> Value {
        json!({ "metadata": { "uid": "u", "resourceVersion": phase, "managedFields": [
            { "manager": "bedplate", "time": "then" },
            { "manager": "controllers", "subresource": "status", "time": phase },
        ] }, "spec": spec, "status": { "phase": phase } })
    }

    #[test]
    fn what_controllers_told_meanwhile_is_no_change() {
        assert_eq!(outcome(None, object(1, "Ready")), Outcome::Created);
        assert_eq!(outcome(Some(object(1, "Pending")), object(1, "Ready")), Outcome::Unchanged);
        assert_eq!(outcome(Some(object(1, "Ready")), object(2, "Ready")), Outcome::Configured);
    }

    #[test]
    fn another_object_or_another_owner_is_a_change() {
        let changed = |pointer: &str| {
            let mut after = object(1, "Ready");
            *after.pointer_mut(pointer).unwrap() = "another".into();
            outcome(Some(object(1, "Ready")), after)
        };
        assert_eq!(changed("/metadata/uid"), Outcome::Configured);
        assert_eq!(changed("/metadata/managedFields/0/manager"), Outcome::Configured);
    }
}
