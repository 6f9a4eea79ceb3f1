//! What is served: version, groups and resources, in the aggregated form and in the plain one.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::resource::{Resource, Rules};
use crate::review::{REVIEWS, Review};
use crate::server::Inner;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const READ_VERBS: [&str; 3] = ["get", "list", "watch"];
pub const STATUS_VERBS: [&str; 3] = ["get", "patch", "update"];

type Server = State<Arc<Inner>>;

/// The version of Kubernetes whose protocol is spoken, with bedplate's mark.
pub async fn version() -> Json<Value> {
    Json(json!({
        "major": "1", "minor": "32", "gitVersion": "v1.32.0-bedplate", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    }))
}

pub async fn api(State(server): Server, headers: HeaderMap) -> Response {
    if wants_aggregated(&headers) {
        return aggregated(&server, |group| group.is_empty());
    }
    let host = json!([{ "clientCIDR": "0.0.0.0/0", "serverAddress": "" }]);
    Json(json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": host })).into_response()
}

pub async fn apis(State(server): Server, headers: HeaderMap) -> Response {
    if wants_aggregated(&headers) {
        return aggregated(&server, |group| !group.is_empty());
    }
    let groups: Vec<_> = named_groups(&server).map(|(group, version)| plain_group(group, version)).collect();
    Json(json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })).into_response()
}

pub async fn group(State(server): Server, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let (group, version) = named_groups(&server).find(|(group, _)| *group == name).ok_or(ApiError::NoSuchPath)?;
    let mut answer = plain_group(group, version);
    answer["kind"] = "APIGroup".into();
    answer["apiVersion"] = "v1".into();
    Ok(Json(answer))
}

pub async fn core_resources(State(server): Server) -> Result<Json<Value>, ApiError> {
    resource_list(&server, "", "v1")
}

pub async fn resources(
    State(server): Server,
    Path((group, version)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    resource_list(&server, &group, &version)
}

fn wants_aggregated(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|one| {
        ["g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"]
            .iter()
            .all(|part| one.split(';').any(|given| given.trim() == *part))
    })
}

/// The verbs of a resource.
pub fn verbs(resource: &Resource) -> &'static [&'static str] {
    if resource.is_read_only() { &READ_VERBS } else { &VERBS }
}

/// Each (group, version) once, those of the reviews last.
fn groups(server: &Inner) -> Vec<(&str, &str)> {
    let mut groups = server.catalogue.groups();
    for review in REVIEWS {
        if !groups.contains(&(review.group, "v1")) {
            groups.push((review.group, "v1"));
        }
    }
    groups
}

fn reviews<'a>(group: &'a str, version: &'a str) -> impl Iterator<Item = Review> + 'a {
    REVIEWS.into_iter().filter(move |review| review.group == group && version == "v1")
}

fn named_groups(server: &Inner) -> impl Iterator<Item = (&str, &str)> {
    groups(server).into_iter().filter(|(group, _)| !group.is_empty())
}

fn plain_group(group: &str, version: &str) -> Value {
    let version = json!({ "groupVersion": format!("{group}/{version}"), "version": version });
    json!({ "name": group, "versions": [version], "preferredVersion": version })
}

fn resource_list(server: &Inner, group: &str, version: &str) -> Result<Json<Value>, ApiError> {
    let served = server.catalogue.in_group(group, version).flat_map(|one| plain_resources(one));
    let resources: Vec<Value> = served.chain(reviews(group, version).map(|one| plain_review(&one))).collect();
    if resources.is_empty() {
        return Err(ApiError::NoSuchPath);
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    Ok(Json(json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources,
    })))
}

fn plain_review(review: &Review) -> Value {
    json!({
        "name": review.plural, "singularName": review.kind.to_lowercase(), "namespaced": false, "kind": review.kind,
        "verbs": ["create"],
    })
}

fn plain_resources(resource: &Resource) -> Vec<Value> {
    let mut all = vec![json!({
        "name": resource.plural, "singularName": resource.singular, "namespaced": resource.namespaced,
        "kind": resource.kind, "verbs": verbs(resource), "shortNames": resource.short_names, "categories": categories(resource),
    })];
    if resource.has_status {
        all.push(json!({
            "name": format!("{}/status", resource.plural), "singularName": "", "namespaced": resource.namespaced,
            "kind": resource.kind, "verbs": STATUS_VERBS,
        }));
    }
    all
}

/// What `kubectl get all` shows: bedplate's kinds.
fn categories(resource: &Resource) -> &'static [&'static str] {
    match resource.rules {
        Rules::Kind(_) => &["all", "bedplate"],
        Rules::Definition => &["api-extensions"],
        _ => &[],
    }
}

fn aggregated(server: &Inner, wanted: impl Fn(&str) -> bool) -> Response {
    let groups = groups(server).into_iter().filter(|(group, _)| wanted(group));
    let items: Vec<Value> = groups.map(|(group, version)| aggregated_group(server, group, version)).collect();
    let list = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
    });
    ([(header::CONTENT_TYPE, AGGREGATED)], list.to_string()).into_response()
}

fn aggregated_group(server: &Inner, group: &str, version: &str) -> Value {
    let served = server.catalogue.in_group(group, version).map(|one| aggregated_resource(one));
    let resources: Vec<Value> = served.chain(reviews(group, version).map(|one| aggregated_review(&one))).collect();
    let metadata = if group.is_empty() { json!({}) } else { json!({ "name": group }) };
    json!({
        "metadata": metadata,
        "versions": [{ "version": version, "resources": resources, "freshness": "Current" }],
    })
}

fn aggregated_review(review: &Review) -> Value {
    json!({
        "resource": review.plural, "singularResource": review.kind.to_lowercase(), "scope": "Cluster",
        "responseKind": { "group": review.group, "version": "v1", "kind": review.kind }, "verbs": ["create"],
    })
}

fn aggregated_resource(resource: &Resource) -> Value {
    let kind = json!({ "group": resource.group, "version": resource.version, "kind": resource.kind });
    let mut answer = json!({
        "resource": resource.plural, "responseKind": kind, "singularResource": resource.singular,
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "verbs": verbs(resource), "shortNames": resource.short_names, "categories": categories(resource),
    });
    if resource.has_status {
        answer["subresources"] = json!([{ "subresource": "status", "responseKind": kind, "verbs": STATUS_VERBS }]);
    }
    answer
}
