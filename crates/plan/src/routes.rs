//! The addresses: a plan, its carrying out, and a vote. Who asks is told by the `Authorization: Bearer` header.

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use axum::{Json, Router};
use bedplate_identity::{Authenticator, Principal};
use bedplate_policy::{Action, Hidden, Operation};
use bedplate_types::{ErrorKind, Explained};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::carry_out::Saved;
use crate::error::PlanError;
use crate::file::LARGEST;
use crate::planner::{Asked, Planner, Scenario};

#[derive(Clone)]
struct Desk {
    planner: Planner,
    authenticator: Authenticator,
}

/// `POST /bedplate/v1/plan`, `/bedplate/v1/plan/apply`, `/bedplate/v1/namespaces/{namespace}/approvals/{name}/vote`.
pub fn router(planner: Planner, authenticator: Authenticator) -> Router {
    #[expect(clippy::cast_possible_truncation, reason = "16 MiB")]
    let limit = DefaultBodyLimit::max(LARGEST as usize);
    let routes = table().into_iter();
    let router = routes.fold(Router::new(), |router, (operation, handler)| router.route(&operation.path, handler));
    router.layer(limit).with_state(Desk { planner, authenticator })
}

/// Every operation of [`router`], and who may.
#[must_use]
pub fn operations() -> Vec<Operation> {
    table().into_iter().map(|(operation, _)| operation).collect()
}

fn table() -> Vec<(Operation, MethodRouter<Desk>)> {
    let to_vote = "/bedplate/v1/namespaces/{namespace}/approvals/{name}/vote";
    vec![
        // Each object of a plan is judged for the caller: it says of none more than a get of theirs would.
        (Operation::signed_in("POST", "/bedplate/v1/plan"), post(plan)),
        (Operation::signed_in("POST", "/bedplate/v1/plan/apply"), post(apply)),
        (Operation::may("POST", to_vote, Action::Get, "Approval", Hidden::Forbidden), post(vote)),
    ]
}

/// What is asked for, and whether approvals are to be asked for as well.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlanRequest {
    #[serde(flatten)]
    asked: Asked,
    #[serde(default)]
    request_approval: Option<String>,
}

async fn plan(
    State(desk): State<Desk>,
    headers: HeaderMap,
    request: Result<Json<PlanRequest>, JsonRejection>,
) -> Result<Json<Value>, Failed> {
    let who = desk.who(&headers)?;
    let request = readable(request)?;
    let mut plan = desk.planner.plan(&who, &request.asked, &Scenario::default()).await?;
    let mut requested = Vec::new();
    if let Some(reason) = &request.request_approval {
        requested = desk.planner.request(&who, &plan, reason).await?;
        // Again, so that it names the requests it waits for.
        plan = desk.planner.plan(&who, &request.asked, &Scenario::default()).await?;
    }
    Ok(Json(json!({ "plan": plan, "requested": requested })))
}

async fn apply(
    State(desk): State<Desk>,
    headers: HeaderMap,
    saved: Result<Json<Saved>, JsonRejection>,
) -> Result<Json<Value>, Failed> {
    let who = desk.who(&headers)?;
    let saved = readable(saved)?;
    let applied = desk.planner.apply(&who, &saved).await?;
    Ok(Json(json!({ "applied": applied })))
}

#[derive(Deserialize)]
struct Vote {
    #[serde(default = "approve")]
    decision: String,
    #[serde(default)]
    comment: String,
}

fn approve() -> String {
    "approve".to_owned()
}

async fn vote(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Path((namespace, name)): Path<(String, String)>,
    vote: Result<Json<Vote>, JsonRejection>,
) -> Result<Json<Value>, Failed> {
    let who = desk.who(&headers)?;
    let vote = readable(vote)?;
    Ok(Json(desk.planner.vote(&who, &namespace, &name, &vote.decision, &vote.comment).await?))
}

/// The body, looked at only once it is known who asks.
fn readable<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Failed> {
    let unreadable = |error: JsonRejection| Failed {
        kind: ErrorKind::Invalid,
        message: format!("the request is not readable: {}", error.body_text()),
        fix: None,
    };
    body.map(|Json(body)| body).map_err(unreadable)
}

impl Desk {
    fn who(&self, headers: &HeaderMap) -> Result<Principal, Failed> {
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        self.authenticator.authenticate(header).map_err(|error| Failed::of(&error))
    }
}

/// A failure as a Kubernetes `Status`, with the fix beside it.
struct Failed {
    kind: ErrorKind,
    message: String,
    fix: Option<String>,
}

impl Failed {
    fn of(error: &dyn Explained) -> Self {
        Self { kind: error.kind(), message: error.to_string(), fix: error.fix() }
    }
}

impl From<PlanError> for Failed {
    fn from(error: PlanError) -> Self {
        Self::of(&error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let code = StatusCode::from_u16(self.kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if code.is_server_error() {
            tracing::error!(error = %self.message, "a plan failed");
        }
        let body = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code.as_u16(),
            "reason": self.kind.status_reason(), "message": self.message, "fix": self.fix });
        (code, Json(body)).into_response()
    }
}
