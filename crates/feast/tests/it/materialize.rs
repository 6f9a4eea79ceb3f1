//! POST /materialize and POST /materialize-incremental

use axum::http::StatusCode;
use bedplate_feast::Range;
use bedplate_types::Timestamp;
use serde_json::{Value, json};

use crate::{NOW, Server};

const START: Timestamp = Timestamp::from_micros(946_684_800_000_000);

fn asked(views: Value) -> String {
    json!({ "start_ts": "2000-01-01T00:00:00", "end_ts": NOW.to_string(), "feature_views": views }).to_string()
}

#[tokio::test]
async fn the_rows_of_a_range_are_asked_for_of_each_view() {
    let server = Server::start();
    let reply = server.post("/materialize", &server.editor, asked(json!(["seats"]))).await;
    assert_eq!((reply.status, reply.json()), (StatusCode::OK, Value::Null));
    let incremental = json!({ "end_ts": NOW.to_string() }).to_string();
    let reply = server.post("/materialize-incremental", &server.editor, incremental).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.json());
    let incremental = json!({ "end_ts": NOW.to_string(), "feature_views": ["seats"] }).to_string();
    let reply = server.post("/materialize-incremental?async=true", &server.editor, incremental).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    assert_eq!(reply.json(), json!({ "status": "accepted", "feature_views": ["seats"] }));
    let range = |view: &str, from| (view.to_owned(), Range { from, until: Some(NOW) });
    let asked = [range("seats", Some(START)), range("seats", None), range("crew", None), range("seats", None)];
    assert_eq!(*server.store.asked.lock().unwrap(), asked);
}

#[tokio::test]
async fn what_is_under_way_is_not_begun_again_unless_forced() {
    let server = Server::start();
    server.store.busy.lock().unwrap().push("seats".to_owned());
    let reply = server.post("/materialize?async=true", &server.editor, asked(json!(["seats"]))).await;
    assert_eq!((reply.status, &reply.json()["feature_views"]), (StatusCode::CONFLICT, &json!(["seats"])));
    assert!(reply.json()["error"].as_str().unwrap().contains("already in MATERIALIZING state: ['seats']"));
    assert!(server.store.asked.lock().unwrap().is_empty());
    let reply = server.post("/materialize?async=true&force=true", &server.editor, asked(json!(["seats"]))).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    assert_eq!(server.store.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn who_may_not_push_and_what_is_not_there_is_refused_as_feast_does() {
    let server = Server::start();
    let viewer = server.post("/materialize", &server.viewer, asked(json!(["seats"]))).await;
    assert_eq!((viewer.status, viewer.exception().0.as_str()), (StatusCode::FORBIDDEN, "FeastPermissionError"));
    let missing = server.post("/materialize", &server.editor, asked(json!(["nil"]))).await;
    assert_eq!(missing.exception(), ("FeatureViewNotFoundException".into(), "Feature view nil does not exist".into()));
    let stranger = server.post("/materialize", &server.stranger, asked(json!(["nil"]))).await;
    assert_eq!((stranger.status, stranger.exception()), (StatusCode::NOT_FOUND, missing.exception()));
    let body = json!({ "start_ts": "soon", "end_ts": "2020-01-01", "feature_views": ["seats"] }).to_string();
    assert_eq!(server.post("/materialize", &server.editor, body).await.unprocessable().0, "start_ts");
    let body = json!({ "end_ts": "2020-01-01", "feature_views": ["seats"], "version": "v2" }).to_string();
    let version = server.post("/materialize-incremental", &server.editor, body).await;
    assert_eq!(version.exception().0, "FeatureViewVersionNotFound");
    assert!(server.store.asked.lock().unwrap().is_empty());
}
