//! What the control port answers where an embedded platform has its API server.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get};
use axum::{Json, Router};
use bedplate_db::Db;
use bedplate_policy::Operation;
use serde_json::{Value, json};

pub fn routes(db: Db) -> Router {
    let routes = table().into_iter();
    routes.fold(Router::new(), |router, (operation, handler)| router.route(&operation.path, handler)).with_state(db)
}

/// All of it is open: it is the same for everybody and tells of no object.
fn table() -> Vec<(Operation, MethodRouter<Db>)> {
    let told = ["/api", "/api/v1", "/api/v1/{*rest}", "/apis", "/apis/{*rest}"];
    let mut table = vec![
        (Operation::open("GET", "/version"), get(version)),
        (Operation::open("GET", "/healthz"), get(alive)),
        (Operation::open("GET", "/livez"), get(alive)),
        (Operation::open("GET", "/readyz"), get(ready)),
    ];
    table.extend(told.map(|path| (Operation::open("ANY", path), any(elsewhere))));
    table
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
