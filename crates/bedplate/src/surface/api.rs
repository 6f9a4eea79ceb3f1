//! The few routes that are bedplate's own: lineage, audit log, a workload's log, what things cost.

mod audit;
mod backup;
mod log;
mod tokens;
mod trace;

pub use backup::{Backups, router as backups};
pub use trace::find_trace;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bedplate_audit::PublicKey;
use bedplate_db::Db;
use bedplate_identity::{Authenticator, Principal};
use bedplate_policy::{Action, Policy, Resource};
use bedplate_types::{Clock, ErrorKind, Explained, Problem};
use kube::Client;
use serde_json::{Value, json};

/// What the routes read from.
#[derive(Clone)]
pub struct Facts {
    pub db: Db,
    pub client: Client,
    pub authenticator: Authenticator,
    pub policy: Policy,
    pub audit_key: PublicKey,
    pub clock: Arc<dyn Clock>,
}

pub fn router(facts: Facts) -> Router {
    Router::new()
        .route("/bedplate/v1/trace", get(trace::trace))
        .route("/bedplate/v1/audit/log", get(audit::log))
        .route("/bedplate/v1/audit/verify", get(audit::verify))
        .route("/bedplate/v1/audit/checkpoint", get(audit::checkpoint))
        .route("/bedplate/v1/audit/vkey", get(audit::vkey))
        .route("/bedplate/v1/audit/tile/{*path}", get(audit::tile))
        .route("/bedplate/v1/audit/proof/{leaf}", get(audit::proof))
        .route("/bedplate/v1/namespaces/{namespace}/workloads/{name}/log", get(log::log))
        .route("/bedplate/v1/costs", get(costs))
        .merge(tokens::router())
        .with_state(facts)
}

/// A failure as a Kubernetes `Status`, with the fix beside it.
struct Failed(Problem);

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let status_body = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status.as_u16(),
            "reason": self.0.kind.status_reason(), "message": self.0.to_string(), "fix": self.0.fix });
        (status, Json(status_body)).into_response()
    }
}

fn failed(what: &str) -> impl FnOnce(&dyn Explained) -> Failed {
    move |error| Failed(Problem::of(what, error))
}

impl Facts {
    fn who(&self, headers: &HeaderMap) -> Result<Principal, Failed> {
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        self.authenticator.authenticate(header).map_err(|error| failed("signing in")(&error))
    }

    /// Refuses with the same words whether the thing exists or not.
    fn may(&self, who: &Principal, action: Action, namespace: Option<&str>, kind: &str) -> Result<(), Failed> {
        let decision = self.policy.decide(&who.name, &who.groups, action, &Resource { namespace, kind, name: None });
        if decision.allowed {
            return Ok(());
        }
        let place = namespace.map_or("the whole platform".to_owned(), |namespace| format!("namespace {namespace}"));
        Err(Failed(Problem::new(ErrorKind::Denied, format!("reading {kind} of {place}"), decision.why().to_owned())))
    }
}

async fn costs(State(facts): State<Facts>, headers: HeaderMap) -> Result<Json<Value>, Failed> {
    let who = facts.who(&headers)?;
    facts.may(&who, Action::List, None, "costs")?;
    let statement = facts.db.read(|tx| bedplate_ledger::by(tx, bedplate_ledger::Column::Resource));
    let lines = statement.map_err(|error| failed("reading the ledger")(&error))?;
    let lines: Vec<_> =
        lines.into_iter().map(|(resource, cost)| json!({ "resource": resource, "cost": cost.to_string() })).collect();
    Ok(Json(json!({ "lines": lines })))
}
