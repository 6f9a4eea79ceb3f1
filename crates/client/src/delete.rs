//! `delete`: by name, or everything a file or folder declares, dependants first.

use kube::Client;
use serde_json::Value;

use crate::apply::{namespace_of, scope};
use crate::error::ClientError;
use crate::get::Scope;
use crate::manifest::Manifest;
use crate::request::{JSON, request, send};
use crate::resource::{Resource, Resources};

/// What became of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// `dataset.bedplate.dev/flights`
    pub object: String,
    pub namespace: Option<String>,
    /// False when it was not there.
    pub existed: bool,
}

/// Deletes one object. That it is not there is an error here.
pub async fn delete(client: &Client, resource: &Resource, scope: &Scope, name: &str) -> Result<Deleted, ClientError> {
    let path = resource.object_path(scope, name);
    let _answer: Value = send(client, request("DELETE", &path, JSON, Vec::new())?).await?;
    Ok(deleted(resource, scope, name, true))
}

/// Deletes what the manifests declare, in the opposite order of `apply`. What is not there counts as deleted.
pub async fn delete_manifests(
    client: &Client,
    resources: &Resources,
    manifests: &[Manifest],
    namespace: &str,
) -> Result<Vec<Deleted>, ClientError> {
    let mut gone = Vec::with_capacity(manifests.len());
    for manifest in manifests.iter().rev() {
        let resource = resources.of_object(manifest.api_version(), manifest.kind())?;
        let scope = scope(resource.namespaced, manifest, namespace);
        match delete(client, resource, &scope, manifest.name()).await {
            Ok(done) => gone.push(done),
            Err(error) if error.is_not_found() => gone.push(deleted(resource, &scope, manifest.name(), false)),
            Err(error) => return Err(error),
        }
    }
    Ok(gone)
}

fn deleted(resource: &Resource, scope: &Scope, name: &str, existed: bool) -> Deleted {
    let namespace = if resource.namespaced { namespace_of(scope) } else { None };
    Deleted { object: format!("{}/{name}", resource.qualified()), namespace, existed }
}
