//! A server on a free port that keeps objects in a map: enough of the API for the client's verbs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use bedplate_client::Connection;
use serde_json::{Value, json};

type Objects = Arc<Mutex<BTreeMap<String, Value>>>;

pub async fn start() -> Connection {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router()).await });
    Connection { server, token: "bp_right".into(), namespace: "demo".into(), trust: bedplate_client::Trust::default() }
}

fn router() -> Router {
    let object = get(read).patch(apply).delete(remove);
    Router::new()
        .route("/apis", get(groups))
        .route("/apis/bedplate.dev/v1alpha1", get(async || Json(resources("Dataset", "datasets", true))))
        .route("/api/v1", get(async || Json(resources("Namespace", "namespaces", false))))
        .route("/apis/bedplate.dev/v1alpha1/namespaces/{ns}/datasets/{name}", object)
        .route("/apis/bedplate.dev/v1alpha1/namespaces/{ns}/datasets", get(list))
        .route("/bedplate/v1/namespaces/{ns}/workloads/{name}/log", get(async || "epoch 1\nepoch 2\n"))
        .route("/bedplate/v1/trace", get(async |RawQuery(query): RawQuery| Json(json!({ "asked": query }))))
        .route("/v2/models/{model}/infer", axum::routing::post(async |Json(body): Json<Value>| Json(body)))
        .with_state(Objects::default())
}

async fn groups(headers: HeaderMap) -> Response {
    if headers.get("authorization").is_none_or(|value| value != "Bearer bp_right") {
        return status(StatusCode::UNAUTHORIZED, "the token is not known");
    }
    let version = json!({ "groupVersion": "bedplate.dev/v1alpha1", "version": "v1alpha1" });
    Json(json!({ "groups": [{ "name": "bedplate.dev", "versions": [version], "preferredVersion": version }] }))
        .into_response()
}

fn resources(kind: &str, plural: &str, namespaced: bool) -> Value {
    let resource =
        json!({ "name": plural, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get"] });
    json!({ "groupVersion": "", "resources": [resource] })
}

async fn read(State(objects): State<Objects>, Path((_, name)): Path<(String, String)>) -> Response {
    let found = objects.lock().unwrap().get(&name).cloned();
    found.map_or_else(|| status(StatusCode::NOT_FOUND, "not found"), |object| Json(object).into_response())
}

async fn apply(
    State(objects): State<Objects>,
    Path((_, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: String,
) -> Response {
    assert_eq!(headers["content-type"], "application/apply-patch+yaml");
    assert_eq!(query.unwrap(), "fieldManager=test&force=true&fieldValidation=Strict");
    let mut object: Value = serde_json::from_str(&body).unwrap();
    if object["spec"].get("unknown").is_some() {
        return status(StatusCode::UNPROCESSABLE_ENTITY, "spec.unknown is not a field of Dataset");
    }
    let mut objects = objects.lock().unwrap();
    let same = objects.get(&name).filter(|old| old["spec"] == object["spec"]);
    let version = same.map_or_else(|| (objects.len() + 7).to_string() + &object["spec"].to_string(), version_of);
    object["metadata"]["resourceVersion"] = version.into();
    objects.insert(name, object.clone());
    Json(object).into_response()
}

fn version_of(object: &Value) -> String {
    object["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
}

async fn remove(State(objects): State<Objects>, Path((_, name)): Path<(String, String)>) -> Response {
    match objects.lock().unwrap().remove(&name) {
        Some(_) => Json(json!({ "kind": "Status", "status": "Success" })).into_response(),
        None => status(StatusCode::NOT_FOUND, "not found"),
    }
}

async fn list(State(objects): State<Objects>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    assert!(headers["accept"].to_str().unwrap().contains("as=Table"));
    let objects = objects.lock().unwrap();
    let rows: Vec<Value> =
        objects.keys().map(|name| json!({ "cells": [name], "object": { "metadata": { "name": name } } })).collect();
    let table =
        json!({ "metadata": { "resourceVersion": "9" }, "columnDefinitions": [{ "name": "Name" }], "rows": rows });
    if query.is_some_and(|query| query.contains("watch=true")) {
        let bookmark = json!({ "type": "BOOKMARK", "object": {} });
        return format!("{bookmark}\n{}\n", json!({ "type": "MODIFIED", "object": table })).into_response();
    }
    Json(table).into_response()
}

fn status(code: StatusCode, message: &str) -> Response {
    let body =
        json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code.as_u16(), "message": message });
    (code, Json(body)).into_response()
}
