//! The two graphs.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{Server, dataset, event, with_schema};

fn ids(graph: &Value) -> Vec<&str> {
    graph["graph"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect()
}

fn node<'a>(graph: &'a Value, id: &str) -> &'a Value {
    graph["graph"].as_array().unwrap().iter().find(|node| node["id"] == id).unwrap_or_else(|| panic!("{id} in {graph}"))
}

/// a -> one -> b -> two -> c -> three -> d, and columns a.x -> b.y -> c.z
async fn chain() -> Server {
    let server = Server::start();
    let made = |name: &str, field: &str, of: &str, of_field: &str| {
        let mut made = with_schema(dataset("flights", name), &[(field, "INT")]);
        made["facets"]["columnLineage"] = json!({ "fields": { field: { "inputFields": [
            { "namespace": "flights", "name": of, "field": of_field, "transformations": [{ "type": "DIRECT" }] },
        ] } } });
        made
    };
    let one = event("COMPLETE", 1, 1, "one", &[dataset("flights", "a")], &[made("b", "y", "a", "x")]);
    let two = event("COMPLETE", 2, 2, "two", &[dataset("flights", "b")], &[made("c", "z", "b", "y")]);
    let three = event("COMPLETE", 3, 3, "three", &[dataset("flights", "c")], &[dataset("flights", "d")]);
    server.tell(&[three, one, two]).await;
    server
}

#[tokio::test]
async fn jobs_and_datasets_both_ways_as_deep_as_asked() {
    let server = chain().await;
    let whole = server.get("/api/v1/lineage?nodeId=dataset:flights:a").await;
    assert_eq!(ids(&whole).len(), 7);
    assert!(whole.get("truncated").is_none());
    let near = server.get("/api/v1/lineage?nodeId=job:flights:one&depth=0").await;
    assert_eq!(ids(&near), ["dataset:flights:a", "dataset:flights:b", "job:flights:one"]);
    let one = node(&near, "job:flights:one");
    assert_eq!((&one["type"], &one["data"]["name"]), (&json!("JOB"), &json!("one")));
    assert_eq!(one["inEdges"], json!([{ "origin": "dataset:flights:a", "destination": "job:flights:one" }]));
    assert_eq!(one["outEdges"], json!([{ "origin": "job:flights:one", "destination": "dataset:flights:b" }]));
    assert_eq!(node(&near, "dataset:flights:b")["inEdges"], one["outEdges"]);
    let farther = server.get("/api/v1/lineage?nodeId=job:flights:one&depth=1").await;
    assert_eq!(ids(&farther).len(), 5);
    let middle = server.get("/api/v1/lineage?nodeId=dataset:flights:c&depth=0").await;
    assert_eq!(
        ids(&middle),
        ["dataset:flights:b", "dataset:flights:c", "dataset:flights:d", "job:flights:three", "job:flights:two"]
    );
}

#[tokio::test]
async fn columns_upstream_and_downstream_when_asked() {
    let server = chain().await;
    let up = server.get("/api/v1/column-lineage?nodeId=datasetField:flights:c:z").await;
    assert_eq!(ids(&up), ["datasetField:flights:a:x", "datasetField:flights:b:y", "datasetField:flights:c:z"]);
    let z = node(&up, "datasetField:flights:c:z");
    assert_eq!((&z["type"], &z["data"]["fieldType"]), (&json!("DATASET_FIELD"), &json!("INT")));
    assert_eq!(z["data"]["transformationType"], "DIRECT");
    assert_eq!(z["data"]["inputFields"][0]["field"], "y");
    // As Marquez writes it: both kinds of edges begin at the node.
    assert_eq!(
        z["inEdges"],
        json!([{ "origin": "datasetField:flights:c:z", "destination": "datasetField:flights:b:y" }])
    );
    let near = server.get("/api/v1/column-lineage?nodeId=dataset:flights:c&depth=1").await;
    assert_eq!(ids(&near), ["datasetField:flights:b:y", "datasetField:flights:c:z"]);
    assert_eq!(ids(&server.get("/api/v1/column-lineage?nodeId=dataset:flights:a").await), ["datasetField:flights:a:x"]);
    let down = server.get("/api/v1/column-lineage?nodeId=dataset:flights:a&withDownstream=true").await;
    assert_eq!(ids(&down).len(), 3);
    let of_job = server.get("/api/v1/column-lineage?nodeId=job:flights:one").await;
    assert_eq!(ids(&of_job), ["datasetField:flights:a:x", "datasetField:flights:b:y"]);
    let b = server.get("/api/v1/namespaces/flights/datasets/b").await;
    assert_eq!(
        (&b["columnLineage"][0]["name"], &b["columnLineage"][0]["inputFields"][0]["dataset"]),
        (&json!("y"), &json!("a"))
    );
}

#[tokio::test]
async fn a_node_that_is_not_there_is_not_found_and_a_wrong_id_is_refused() {
    let server = chain().await;
    for path in ["lineage", "column-lineage"] {
        let get = async |query: &str| server.get_as(&server.admin, &format!("/api/v1/{path}?{query}")).await;
        assert_eq!(get("nodeId=dataset:flights:nil").await.json()["message"], "Node 'dataset:flights:nil' not found");
        assert_eq!(get("nodeId=run:1").await.refusal().1, "nodeId");
        assert_eq!(get("").await.refusal().1, "nodeId");
        assert_eq!(get("nodeId=dataset:flights:a&depth=x").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}

#[tokio::test]
async fn a_graph_is_bounded_and_says_so() {
    let server = Server::start();
    let many: Vec<Value> = (0..600).map(|i| dataset("flights", &format!("d{i}"))).collect();
    let more: Vec<Value> = (600..1200).map(|i| dataset("flights", &format!("d{i}"))).collect();
    server.tell(&[event("COMPLETE", 1, 1, "wide", &many, &more)]).await;
    let graph = server.get("/api/v1/lineage?nodeId=job:flights:wide").await;
    assert_eq!((ids(&graph).len(), &graph["truncated"]), (bedplate_openlineage::MAX_NODES, &json!(true)));
}
