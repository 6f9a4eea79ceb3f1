//! Who may tell and read what.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::{Server, dataset, event, run};

const PATHS: [&str; 11] = [
    "/api/v1/namespaces",
    "/api/v1/namespaces/flights",
    "/api/v1/namespaces/flights/datasets",
    "/api/v1/namespaces/flights/datasets/a",
    "/api/v1/namespaces/flights/jobs",
    "/api/v1/namespaces/flights/jobs/load",
    "/api/v1/namespaces/flights/jobs/load/runs",
    "/api/v1/events/lineage",
    "/api/v1/search?q=a",
    "/api/v1/lineage?nodeId=dataset:flights:a",
    "/api/v1/column-lineage?nodeId=dataset:flights:b",
];

async fn told() -> Server {
    let server = Server::start();
    let mut made = dataset("flights", "b");
    made["facets"]["columnLineage"] =
        json!({ "fields": { "y": { "inputFields": [{ "namespace": "flights", "name": "a", "field": "x" }] } } });
    server.tell(&[event("COMPLETE", 1, 1, "load", &[dataset("flights", "a")], &[made])]).await;
    server
}

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    let server = told().await;
    for path in PATHS {
        assert_eq!(server.get_as("bp_nonsense", path).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    for path in ["/api/v1/lineage", "/api/lineage", "/api/v1/lineage/batch", "/api/lineage/batch"] {
        let reply = server.send(Request::post(path).body(Body::from("{}")).unwrap()).await;
        assert_eq!((reply.status, &reply.json()["code"]), (StatusCode::UNAUTHORIZED, &json!(401)), "{path}");
    }
}

#[tokio::test]
async fn a_viewer_reads_and_may_not_tell() {
    let server = told().await;
    for path in PATHS {
        let reply = server.get_as(&server.viewer, path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
    }
    let start = event("START", 2, 2, "load", &[], &[]).to_string();
    let (status, _, message) = server.post(&server.viewer, "/api/v1/lineage", start.clone()).await.refusal();
    assert!(status == 403 && message.contains("role editor"), "{status} {message}");
    assert_eq!(server.post(&server.editor, "/api/v1/lineage", start).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_stranger_cannot_tell_what_exists() {
    let server = told().await;
    let nothing: [(&str, Value); 3] = [
        ("/api/v1/namespaces", json!({ "namespaces": [] })),
        ("/api/v1/events/lineage", json!({ "events": [], "totalCount": 0 })),
        ("/api/v1/search?q=a", json!({ "totalCount": 0, "results": [] })),
    ];
    for (path, expect) in nothing {
        assert_eq!(server.get_as(&server.stranger, path).await.json(), expect, "{path}");
    }
    let runs = format!("/api/v1/jobs/runs/{}", run(1));
    for path in
        PATHS.into_iter().chain([runs.as_str()]).filter(|path| path.contains("flights") || path.contains("runs"))
    {
        let here = server.get_as(&server.stranger, path).await;
        let (from, to) = (path.replace("flights", "nowhere").replace(&run(1), &run(9)), here.text.clone());
        let nowhere = server.get_as(&server.admin, &from).await;
        assert_eq!((here.status, nowhere.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND), "{path}");
        assert_eq!(to.replace("flights", "nowhere").replace(&run(1), &run(9)), nowhere.text, "{path}");
    }
    let reply =
        server.post(&server.stranger, "/api/v1/lineage", event("START", 2, 2, "load", &[], &[]).to_string()).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_namespace_that_an_event_names_must_be_open_to_its_teller() {
    let server = Server::start();
    let bucket = [dataset("s3://bucket", "k")];
    let mut column = dataset("flights", "b");
    column["facets"]["columnLineage"] =
        json!({ "fields": { "y": { "inputFields": [{ "namespace": "other", "name": "a", "field": "x" }] } } });
    for event in [
        event("START", 1, 1, "load", &bucket, &[]),
        event("START", 1, 1, "load", &[], &bucket),
        event("START", 1, 1, "load", &[], &[column]),
    ] {
        let reply = server.post(&server.editor, "/api/v1/lineage", event.to_string()).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{event}");
        assert_eq!(server.post(&server.admin, "/api/v1/lineage", event.to_string()).await.status, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn what_lies_in_closed_namespaces_is_left_out_of_what_may_be_seen() {
    let server = Server::start();
    let (closed, open) = (dataset("s3://bucket", "secret"), dataset("flights", "a"));
    let mut made = open.clone();
    made["facets"]["columnLineage"] = json!({ "fields": { "y": { "inputFields": [{ "namespace": "s3://bucket", "name": "secret", "field": "x" }] } } });
    server
        .tell(&[event("COMPLETE", 1, 1, "load", &[closed], &[made]), event("COMPLETE", 2, 2, "sum", &[open], &[])])
        .await;
    let runs = format!("/api/v1/jobs/runs/{}", run(1));
    let without_facets = |mut told: Value| {
        // The facet is the open dataset's own, as it was told of it.
        if let Some(facets) = told.get_mut("facets") {
            facets["columnLineage"] = Value::Null;
        }
        told.to_string()
    };
    for path in [
        "/api/v1/namespaces",
        "/api/v1/namespaces/flights/jobs/load",
        "/api/v1/namespaces/flights/datasets/a",
        "/api/v1/events/lineage",
        "/api/v1/search?q=e",
        "/api/v1/lineage?nodeId=job:flights:load&depth=0",
        "/api/v1/column-lineage?nodeId=dataset:flights:a",
        &runs,
    ] {
        let seen = server.get_as(&server.viewer, path).await;
        assert_eq!(seen.status, StatusCode::OK, "{path}: {}", seen.text);
        assert!(!without_facets(seen.json()).contains("bucket"), "{path}");
        let all = server.get(path).await.to_string();
        assert!(all.contains("bucket") || path.contains("search"), "{path}: {all}");
    }
    let events = server.get_as(&server.viewer, "/api/v1/events/lineage").await.json();
    assert_eq!((&events["totalCount"], &events["events"][0]["job"]["name"]), (&json!(1), &json!("sum")));
}
