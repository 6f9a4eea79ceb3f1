//! GET /v2, /v2/health/live, /v2/health/ready: open to probes, for they tell nothing of what is served.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::Served;

pub(crate) async fn metadata() -> Json<Value> {
    Json(json!({
        "name": "bedplate",
        "version": env!("CARGO_PKG_VERSION"),
        "extensions": ["binary_tensor_data"],
    }))
}

pub(crate) async fn live() -> Json<Value> {
    Json(json!({ "live": true }))
}

pub(crate) async fn ready(State(served): State<Arc<Served>>) -> (StatusCode, Json<Value>) {
    let ready = served.predictor.ready();
    (status(ready), Json(json!({ "ready": ready })))
}

/// Clients take 200 for ready and anything else for not.
pub(crate) fn status(ready: bool) -> StatusCode {
    if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

pub(crate) async fn unknown(uri: Uri) -> Response {
    let error = format!("{} is not a path of the Open Inference Protocol, or not one bedplate serves", uri.path());
    (StatusCode::NOT_FOUND, Json(json!({ "error": error }))).into_response()
}

pub(crate) async fn wrong_method(method: Method, uri: Uri) -> Response {
    let error = format!("{method} is not a method of {}", uri.path());
    (StatusCode::METHOD_NOT_ALLOWED, Json(json!({ "error": error }))).into_response()
}
