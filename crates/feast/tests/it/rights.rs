//! Who may push: every kind of caller.

use axum::http::StatusCode;
use serde_json::json;

use crate::Server;

fn push(source: &str) -> String {
    json!({ "push_source_name": source, "df": { "tailnum": ["a"] } }).to_string()
}

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    let reply = Server::start().post("/push", "bp_nonsense", push("arrivals")).await;
    let challenge = reply.headers["www-authenticate"].to_str().unwrap();
    assert_eq!((reply.status, challenge), (StatusCode::UNAUTHORIZED, "Bearer"));
    assert!(reply.json()["detail"].is_string());
}

#[tokio::test]
async fn an_editor_may_and_a_viewer_is_refused() {
    let server = Server::start();
    assert_eq!(server.post("/push", &server.editor, push("arrivals")).await.status, StatusCode::OK);
    let viewer = server.post("/push", &server.viewer, push("arrivals")).await;
    let (class, message) = viewer.exception();
    assert_eq!((viewer.status, class.as_str()), (StatusCode::FORBIDDEN, "FeastPermissionError"));
    assert!(message.contains("editor"), "{message}");
    assert_eq!(server.store.pushed.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_stranger_cannot_tell_what_exists() {
    let server = Server::start();
    let here = server.post("/push", &server.stranger, push("arrivals")).await;
    let nowhere = server.post("/push", &server.stranger, push("elsewhere")).await;
    let missing = server.post("/push", &server.editor, push("elsewhere")).await;
    assert_eq!((here.status, nowhere.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    assert_eq!(nowhere.exception(), missing.exception());
    assert_eq!(here.exception().0, missing.exception().0);
}
