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
    let before = version_now(client, &path).await?;
    let asked = query(&[("fieldManager", Some(manager)), ("force", Some("true")), ("fieldValidation", Some("Strict"))]);
    let body = serde_json::to_vec(&manifest.object).map_err(|error| unsendable(&path, &error))?;
    let mut patch = request("PATCH", &format!("{path}{asked}"), JSON, body)?;
    patch.headers_mut().insert("content-type", http::HeaderValue::from_static(APPLY));
    let (after, warnings): (Value, _) = send_warned(client, patch).await?;
    let outcome = outcome(before.as_deref(), &version_of(&after));
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

async fn version_now(client: &Client, path: &str) -> Result<Option<String>, ClientError> {
    match send::<Value>(client, get(path, JSON)?).await {
        Ok(object) => Ok(Some(version_of(&object))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn version_of(object: &Value) -> String {
    object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned()
}

fn outcome(before: Option<&str>, after: &str) -> Outcome {
    match before {
        None => Outcome::Created,
        Some(before) if before == after => Outcome::Unchanged,
        Some(_) => Outcome::Configured,
    }
}

fn unsendable(path: &str, error: &serde_json::Error) -> ClientError {
    ClientError::Answer { what: format!("PATCH {path}"), why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resource_version_tells_what_happened() {
        assert_eq!(outcome(None, "1"), Outcome::Created);
        assert_eq!(outcome(Some("1"), "1"), Outcome::Unchanged);
        assert_eq!(outcome(Some("1"), "2"), Outcome::Configured);
    }
}
