//! OpenAPI v3: one document per group and version, good for `kubectl explain` and for kubectl to find out that the server
//! validates fields.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bedplate_types::Digest;
use http::header;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::builtin;
use crate::catalogue::Catalogue;
use crate::definition;
use crate::error::ApiError;
use crate::resource::Resource;
use crate::server::Inner;

const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// The documents, by `api/v1` or `apis/GROUP/VERSION`, made once.
pub struct Documents(BTreeMap<String, String>);

impl Documents {
    pub fn new(catalogue: &Catalogue) -> Self {
        let one = |(group, version): (&str, &str)| {
            let resources: Vec<_> = catalogue.in_group(group, version).map(AsRef::as_ref).collect();
            let path = resources.first().map(|one| one.path_prefix()).unwrap_or_default();
            (path.trim_start_matches('/').to_owned(), document_of(&resources).to_string())
        };
        Self(catalogue.groups().into_iter().map(one).collect())
    }
}

/// Where the documents are; the hash in the address lets clients keep what they have.
pub async fn index(State(server): State<Arc<Inner>>) -> Json<Value> {
    let paths = server.documents.0.iter().map(|(path, document)| {
        let hash = Digest::from_sha256(Sha256::digest(document).into()).hex();
        (path.clone(), json!({ "serverRelativeURL": format!("/openapi/v3/{path}?hash={hash}") }))
    });
    Json(json!({ "paths": paths.collect::<Map<_, _>>() }))
}

pub async fn document(State(server): State<Arc<Inner>>, Path(path): Path<String>) -> Result<Response, ApiError> {
    let document = server.documents.0.get(&path).ok_or(ApiError::NoSuchPath)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], document.clone()).into_response())
}

fn document_of(resources: &[&Resource]) -> Value {
    let mut schemas = Map::from_iter([(OBJECT_META.to_owned(), builtin::metadata_schema())]);
    let mut paths = Map::new();
    for resource in resources {
        schemas.insert(schema_name(resource), schema(resource));
        paths.extend(paths_of(resource));
    }
    json!({
        "openapi": "3.0.0", "info": { "title": "bedplate", "version": "v1.32.0-bedplate" },
        "paths": paths, "components": { "schemas": schemas },
    })
}

/// `dev.bedplate.v1alpha1.Dataset`, `io.k8s.api.core.v1.Secret`
fn schema_name(resource: &Resource) -> String {
    let group = match resource.group.as_str() {
        "" => "io.k8s.api.core".to_owned(),
        "events.k8s.io" => "io.k8s.api.events".to_owned(),
        "coordination.k8s.io" => "io.k8s.api.coordination".to_owned(),
        definition::GROUP => "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions".to_owned(),
        other => other.rsplit('.').collect::<Vec<_>>().join("."),
    };
    format!("{group}.{}.{}", resource.version, resource.kind)
}

fn schema(resource: &Resource) -> Value {
    let mut schema = resource.schema.root().clone();
    schema["properties"]["metadata"] = json!({
        "description": "Standard object's metadata.", "default": {},
        "allOf": [{ "$ref": format!("#/components/schemas/{OBJECT_META}") }],
    });
    schema["x-kubernetes-group-version-kind"] = json!([kind(resource)]);
    schema
}

fn kind(resource: &Resource) -> Value {
    json!({ "group": resource.group, "version": resource.version, "kind": resource.kind })
}

fn paths_of(resource: &Resource) -> Vec<(String, Value)> {
    let scope = if resource.namespaced { "/namespaces/{namespace}" } else { "" };
    let collection = format!("{}{scope}/{}", resource.path_prefix(), resource.plural);
    let item = format!("{collection}/{{name}}");
    if resource.is_read_only() {
        return vec![
            (collection, operations(resource, &[("get", "list")])),
            (item, operations(resource, &[("get", "get")])),
        ];
    }
    let mut paths = vec![
        (collection, operations(resource, &[("get", "list"), ("post", "post"), ("delete", "deletecollection")])),
        (
            item.clone(),
            operations(resource, &[("get", "get"), ("put", "put"), ("patch", "patch"), ("delete", "delete")]),
        ),
    ];
    if resource.namespaced {
        let everywhere = format!("{}/{}", resource.path_prefix(), resource.plural);
        paths.push((everywhere, operations(resource, &[("get", "list")])));
    }
    if resource.has_status {
        paths.push((
            format!("{item}/status"),
            operations(resource, &[("get", "get"), ("put", "put"), ("patch", "patch")]),
        ));
    }
    paths
}

fn operations(resource: &Resource, methods: &[(&str, &str)]) -> Value {
    methods
        .iter()
        .map(|(method, action)| ((*method).to_owned(), operation(resource, action)))
        .collect::<Map<_, _>>()
        .into()
}

fn operation(resource: &Resource, action: &str) -> Value {
    let content = json!({ "application/json": {
        "schema": { "$ref": format!("#/components/schemas/{}", schema_name(resource)) },
    } });
    let mut operation = json!({
        "x-kubernetes-action": action, "x-kubernetes-group-version-kind": kind(resource),
        "responses": { "200": { "description": "OK", "content": content } },
    });
    if matches!(action, "post" | "put" | "patch") {
        let parameters: Vec<_> = ["dryRun", "fieldManager", "fieldValidation"].map(parameter).into();
        operation["parameters"] = parameters.into();
    } else if action.starts_with("delete") {
        operation["parameters"] = json!([parameter("dryRun")]);
    }
    operation
}

fn parameter(name: &str) -> Value {
    json!({ "name": name, "in": "query", "schema": { "type": "string", "uniqueItems": true } })
}
