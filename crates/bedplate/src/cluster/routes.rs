//! What the control port answers where an embedded platform has its API server.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use bedplate_db::Db;
use serde_json::{Value, json};

pub fn routes(db: Db) -> Router {
    Router::new()
        .route("/version", get(version))
        .route("/healthz", get(alive))
        .route("/livez", get(alive))
        .route("/readyz", get(ready))
        .route("/api", any(elsewhere))
        .route("/api/v1", any(elsewhere))
        .route("/api/v1/{*rest}", any(elsewhere))
        .route("/apis", any(elsewhere))
        .route("/apis/{*rest}", any(elsewhere))
        .with_state(db)
}

async fn alive() -> &'static str {
    "ok"
}

/// It predicts as long as its database answers, whether or not the cluster's API server does.
async fn ready(State(db): State<Db>) -> Response {
    let asked = tokio::task::spawn_blocking(move || db.read(bedplate_audit::head)).await;
    match asked {
        Ok(Ok(_)) => "ok".into_response(),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer").into_response(),
    }
}

async fn version() -> Json<Value> {
    let version = env!("CARGO_PKG_VERSION");
    let (major, rest) = version.split_once('.').unwrap_or((version, "0"));
    Json(json!({
        "major": major, "minor": rest.split('.').next(), "gitVersion": format!("v{version}-bedplate-operator"),
        "gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    }))
}

async fn elsewhere() -> Response {
    let message = "this is the operator of a cluster: the objects are in the cluster's own API server";
    let body = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 404,
        "reason": "NotFound", "message": message, "fix": "kubectl, with the cluster's kubeconfig" });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}
