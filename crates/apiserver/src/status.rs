//! Errors as Kubernetes tells them: a `Status` object with code, reason, message and details.

use axum::Json;
use axum::response::{IntoResponse, Response};
use bedplate_types::Explained;
use http::StatusCode;
use serde_json::{Value, json};

use crate::error::{ApiError, Cause};

/// The `Status` of a failure. Also what an `ERROR` event of a watch carries.
pub fn of(error: &ApiError) -> Value {
    let (code, reason) = code_and_reason(error);
    let mut status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": error.to_string(), "reason": reason, "code": code,
    });
    if let Some(details) = details(error) {
        status["details"] = details;
    }
    if let (ApiError::Withheld { .. }, Some(fix)) = (error, error.fix()) {
        status["fix"] = fix.into();
    }
    if let ApiError::ExpiredContinue { token } = error {
        status["metadata"]["continue"] = token.as_str().into();
    }
    status
}

/// The codes that only HTTP knows, and for all others the one map of error kinds.
fn code_and_reason(error: &ApiError) -> (u16, &'static str) {
    match error {
        ApiError::BadRequest(_) => (400, "BadRequest"),
        ApiError::MethodNotAllowed { .. } | ApiError::ReadOnly { .. } => (405, "MethodNotAllowed"),
        ApiError::UnsupportedMediaType { .. } => (415, "UnsupportedMediaType"),
        other => (other.kind().http_status(), other.kind().status_reason()),
    }
}

fn details(error: &ApiError) -> Option<Value> {
    match error {
        ApiError::NotFound { resource, name }
        | ApiError::AlreadyExists { resource, name }
        | ApiError::Conflict { resource, name, .. }
        | ApiError::Forbidden { resource, name, .. }
        | ApiError::Withheld { resource, name, .. } => Some(named(resource, name)),
        ApiError::Invalid { kind, name, causes } => {
            let mut details = named(kind, name);
            details["causes"] = causes_json(causes);
            Some(details)
        }
        ApiError::FromTheFuture { .. } => {
            let cause = json!({ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" });
            Some(json!({ "causes": [cause], "retryAfterSeconds": 1 }))
        }
        ApiError::ApplyConflict { causes } => Some(json!({ "causes": causes_json(causes) })),
        _ => None,
    }
}

fn named(kind_and_group: &str, name: &str) -> Value {
    let (kind, group) = kind_and_group.split_once('.').unwrap_or((kind_and_group, ""));
    let mut details = json!({ "name": name, "kind": kind });
    if !group.is_empty() {
        details["group"] = group.into();
    }
    details
}

fn causes_json(causes: &[Cause]) -> Value {
    let one = |cause: &Cause| json!({ "reason": cause.reason, "message": cause.message, "field": cause.field });
    causes.iter().map(one).collect()
}

/// The `Status` of a deletion that is complete.
pub fn deleted(kind_and_group: &str, name: &str, uid: &str) -> Value {
    let mut details = named(kind_and_group, name);
    details["uid"] = uid.into();
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (code, _) = code_and_reason(&self);
        if code >= 500 {
            tracing::error!(error = %self, "request failed");
        }
        let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (code, Json(of(&self))).into_response();
        if code == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(http::header::WWW_AUTHENTICATE, http::HeaderValue::from_static("Bearer"));
        }
        response
    }
}
