//! bedplate's own lineage, written as events, is taken by this crate's own ingest.

use bedplate_lineage::{Edge, Graph, Node};
use bedplate_openlineage::{Origin, export};
use bedplate_types::Timestamp;
use serde_json::{Value, json};

use crate::Server;

fn graph() -> Graph {
    let edge = |from: &str, to: &str, at: i64| Edge {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        by: "system:controllers".into(),
        at: Timestamp::from_micros(at),
    };
    let edges = vec![
        edge("table:flights/weather@1", "view:flights/w@d", 1),
        edge("view:flights/w@d", "run:train-1", 2),
        edge("run:train-1", "model:flights/late@1", 3),
    ];
    let run: Node = "run:train-1".parse().unwrap();
    let model: Node = "model:flights/late@1".parse().unwrap();
    let nodes = vec![(run, json!({ "workload": "flights/train" })), (model, json!({ "metrics": { "auc": 0.763 } }))];
    Graph { nodes, edges, ..Graph::default() }
}

#[tokio::test]
async fn is_taken_and_makes_the_same_graph() {
    let server = Server::start();
    let events = export(&graph(), Origin { producer: "https://bedplate.example/v1", namespace: "bedplate://here" });
    server.tell(&events).await;
    server.tell(&events).await;
    assert_eq!(server.leaves().len(), events.len(), "telling it again adds nothing");
    let told = server.get("/api/v1/lineage?nodeId=dataset:flights:model/late").await;
    let ids: Vec<&Value> = told["graph"].as_array().unwrap().iter().map(|node| &node["id"]).collect();
    assert_eq!(
        ids,
        [
            "dataset:flights:model/late",
            "dataset:flights:table/weather",
            "dataset:flights:view/w",
            "job:flights:make/view/w",
            "job:flights:workload/train",
        ]
    );
    let model = server.get("/api/v1/namespaces/flights/datasets/model%2Flate").await;
    assert_eq!(model["facets"]["bedplate_node"]["facts"]["metrics"]["auc"], 0.763);
    assert_eq!(model["facets"]["version"]["datasetVersion"], "1");
    let job = server.get("/api/v1/namespaces/flights/jobs/workload%2Ftrain").await;
    assert_eq!(job["latestRun"]["state"], "COMPLETED");
}
