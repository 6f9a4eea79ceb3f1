//! POST /api/v1/lineage

use std::io::Write;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::any;
use bedplate_identity::Authenticator;
use bedplate_policy::Policy;
use bedplate_types::FixedClock;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::{NOW, Server, dataset, event, run};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn encoded(server: &Server, encoding: &str, body: Vec<u8>) -> Request<Body> {
    Request::post("/api/v1/lineage")
        .header("authorization", format!("Bearer {}", server.admin))
        .header("content-encoding", encoding)
        .body(body.into())
        .unwrap()
}

#[tokio::test]
async fn an_event_is_kept_whole_once_with_one_leaf() {
    let server = Server::start();
    let text = r#"{ "eventTime":"2024-05-01T10:00:00.5Z", "producer":"urn:t","schemaURL":"urn:s",
        "job":{"namespace":"flights","name":"load","facets":{"odd":{"big":123456789012345678901234567890, "x" : 1.10}}}}"#;
    for path in ["/api/v1/lineage", "/api/lineage", "/api/v1/lineage"] {
        let reply = server.post(&server.editor, path, text).await;
        assert_eq!((reply.status, reply.text.as_str()), (StatusCode::CREATED, ""));
    }
    let events = server.get_as(&server.editor, "/api/v1/events/lineage").await;
    assert_eq!(events.text, format!(r#"{{"events":[{text}],"totalCount":1}}"#));
    let job = server.get_as(&server.editor, "/api/v1/namespaces/flights/jobs/load").await;
    assert!(job.text.contains(r#""odd":{"big":123456789012345678901234567890, "x" : 1.10}"#), "{}", job.text);
    let leaves = server.leaves();
    assert_eq!(
        (leaves.len(), leaves[0].actor.as_str(), leaves[0].action.as_str()),
        (1, "user:editor", "lineage.ingest")
    );
    assert_eq!(
        (leaves[0].object.as_str(), &leaves[0].detail["kind"]),
        ("lineage job flights load", &json!("JobEvent"))
    );
}

#[tokio::test]
async fn gzip_is_read_and_a_bomb_is_not_unpacked() {
    let server = Server::start();
    let text = event("START", 1, 1, "load", &[], &[]).to_string();
    let reply = server.send(encoded(&server, "gzip", gzip(text.as_bytes()))).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
    let bomb = gzip(&vec![b' '; bedplate_openlineage::INFLATED_LIMIT + 1]);
    assert!(bomb.len() < bedplate_openlineage::BODY_LIMIT / 10);
    let reply = server.send(encoded(&server, "gzip", bomb)).await;
    let (status, _, message) = reply.refusal();
    assert_eq!((status, message.as_str()), (413, "the request body is larger than 16777216 bytes"));
    let reply = server.send(encoded(&server, "gzip", text.clone().into_bytes())).await;
    assert_eq!(reply.refusal().1, "body");
    let reply = server.send(encoded(&server, "br", text.into_bytes())).await;
    assert_eq!(reply.refusal().1, "Content-Encoding");
    let reply = server.post(&server.admin, "/api/v1/lineage", vec![b' '; bedplate_openlineage::BODY_LIMIT + 1]).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_wrong_event_names_the_field_and_leaves_nothing() {
    let server = Server::start();
    let mut wrong = event("START", 1, 1, "load", &[dataset("flights", "a")], &[]);
    wrong["inputs"][0]["name"] = json!(7);
    let cases = [
        (wrong.to_string(), "inputs[0].name", "must be a string"),
        ("{".into(), "event", "is not JSON"),
        ("[]".into(), "event", "must be an object"),
        (json!({ "eventTime": "now" }).to_string(), "eventTime", "RFC 3339"),
    ];
    for (body, field, part) in cases {
        let reply = server.post(&server.admin, "/api/v1/lineage", body).await;
        let (status, said, message) = reply.refusal();
        assert!((status, said.as_str()) == (422, field) && message.contains(part), "{}", reply.text);
    }
    assert!(server.leaves().is_empty());
    assert_eq!(server.get("/api/v1/events/lineage").await["totalCount"], 0);
}

#[tokio::test]
async fn a_batch_keeps_what_is_right_and_tells_of_the_rest() {
    let server = Server::start();
    let mut wrong = event("START", 1, 3, "load", &[], &[]);
    wrong["run"] = json!({ "runId": "three" });
    let foreign = event("START", 1, 4, "load", &[], &[dataset("s3://bucket", "k")]);
    let batch = json!([event("START", 1, 1, "load", &[], &[]), wrong, foreign, event("FAIL", 2, 1, "load", &[], &[])]);
    for path in ["/api/v1/lineage/batch", "/api/lineage/batch"] {
        let reply = server.post(&server.editor, path, batch.to_string()).await;
        let told = reply.json();
        assert_eq!((reply.status, &told["status"]), (StatusCode::OK, &json!("partial_success")));
        let counts = json!({ "received": 4, "successful": 2, "failed": 2, "retriable": 0, "non_retriable": 2 });
        assert_eq!(told["summary"], counts);
        let failed: Vec<&Value> = told["failed_events"].as_array().unwrap().iter().map(|one| &one["index"]).collect();
        assert_eq!(failed, [1, 2]);
        assert_eq!(told["failed_events"][0]["reason"], "run.runId: must be a UUID");
    }
    assert_eq!(server.leaves().len(), 2);
    assert_eq!(server.get(&format!("/api/v1/jobs/runs/{}", run(1))).await["state"], "FAILED");
    let many = Value::from(vec![json!({}); bedplate_openlineage::BATCH_LIMIT + 1]);
    assert_eq!(server.post(&server.admin, "/api/v1/lineage/batch", many.to_string()).await.refusal().1, "batch");
}

#[tokio::test]
async fn a_late_start_does_not_move_an_ended_run_back() {
    let server = Server::start();
    server.tell(&[event("COMPLETE", 5, 1, "load", &[], &[]), event("START", 1, 1, "load", &[], &[])]).await;
    server.tell(&[event("RUNNING", 9, 1, "load", &[], &[]), event("OTHER", 10, 1, "load", &[], &[])]).await;
    let told = server.get(&format!("/api/v1/jobs/runs/{}", run(1))).await;
    assert_eq!((&told["state"], &told["durationMs"]), (&json!("COMPLETED"), &json!(4000)));
    assert_eq!(
        (&told["startedAt"], &told["endedAt"]),
        (&json!("2024-05-01T10:00:01Z"), &json!("2024-05-01T10:00:05Z"))
    );
    assert_eq!(told["updatedAt"], "2024-05-01T10:00:10Z");
}

#[tokio::test]
async fn a_facet_as_deep_as_one_likes_is_kept_and_read() {
    let server = Server::start();
    let mut told = event("START", 1, 1, "load", &[], &[]);
    told["job"]["facets"] = json!({ "deep": { "x": "DEEP" } });
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = told.to_string().replace("\"DEEP\"", &deep);
    assert_eq!(server.post(&server.admin, "/api/v1/lineage", text).await.status, StatusCode::CREATED);
    let job = server.get_as(&server.admin, "/api/v1/namespaces/flights/jobs/load").await;
    assert!(job.status == StatusCode::OK && job.text.contains(&deep));
}

#[tokio::test]
async fn stands_beside_a_router_that_takes_everything_else() {
    let server = Server::start();
    let other = Router::new().route("/api/v1/{*rest}", any(async || "other")).route("/api/v1", any(async || "other"));
    let clock = Arc::new(FixedClock(NOW));
    let authenticator = Authenticator::new(server.db.clone(), clock.clone());
    let policy = Policy::load(server.db.clone()).unwrap();
    let parts = || (server.db.clone(), authenticator.clone(), policy.clone(), clock.clone());
    let (db, who, may, time) = parts();
    let ingest = bedplate_openlineage::ingest(db, who, may, time);
    let (db, who, may, time) = parts();
    let whole = bedplate_openlineage::router(db, who, may, time);
    let merged = Server { router: other.merge(ingest).nest("/openlineage", whole), ..server };
    let start = event("START", 1, 1, "load", &[], &[]).to_string();
    assert_eq!(merged.post(&merged.admin, "/api/v1/lineage", start).await.status, StatusCode::CREATED);
    assert_eq!(merged.get_as(&merged.admin, "/api/v1/namespaces/flights").await.text, "other");
    assert_eq!(merged.get("/openlineage/api/v1/namespaces/flights/jobs/load").await["name"], "load");
}
