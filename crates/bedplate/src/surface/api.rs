//! The few routes that are bedplate's own: lineage, audit log, a workload's log, what things cost.

mod audit;
mod backup;
mod certificates;
mod costs;
mod data;
mod features;
mod impact;
mod log;
pub mod login;
mod metrics;
mod policy;
mod search;
mod sql;
mod tokens;
mod trace;

pub use backup::{Backups, router as backups};
pub use certificates::{CertificateRequest, Issuing, Machine, router as certificates};
pub use data::{Data, router as data};
pub use features::{Features, Lately, LatelyCache, router as features};
pub use search::router as search;
pub use sql::router as sql;
pub use trace::find_trace;

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::{Json, Router};
use bedplate_audit::PublicKey;
use bedplate_db::Db;
use bedplate_identity::{AccessKeys, Authenticator, Principal};
use bedplate_policy::{Action, Hidden, Operation, Policy, Resource};
use bedplate_types::{Clock, ErrorKind, Explained, Problem};
use kube::Client;
use serde_json::json;

/// What the routes read from.
#[derive(Clone)]
pub struct Facts {
    pub db: Db,
    pub client: Client,
    pub authenticator: Authenticator,
    pub access_keys: AccessKeys,
    pub policy: Policy,
    pub audit_key: PublicKey,
    pub clock: Arc<dyn Clock>,
}

pub fn router(facts: Facts) -> Router {
    let routes = table().into_iter();
    routes.fold(Router::new(), |router, (operation, handler)| router.route(&operation.path, handler)).with_state(facts)
}

/// Every operation of this router and of those of backups, certificates, data, features, search, SQL and signing in, and who may.
pub fn operations() -> Vec<Operation> {
    let own = table().into_iter().map(|(operation, _)| operation);
    let more = [backup::operations(), certificates::operations(), data::operations(), features::operations()];
    let more = more.into_iter().chain([search::operations(), sql::operations(), login::operations()]);
    own.chain(more.flatten()).collect()
}

type Table = Vec<(Operation, MethodRouter<Facts>)>;

fn table() -> Table {
    let read = |path, action, kind| Operation::may("GET", path, action, kind, Hidden::Forbidden);
    let audit = |path| read(path, Action::List, "Audit");
    let trace = Operation::may("GET", "/bedplate/v1/trace", Action::Get, "Lineage", Hidden::NotFound);
    let log = "/bedplate/v1/namespaces/{namespace}/workloads/{name}/log";
    let mut table = vec![
        (trace, get(trace::trace)),
        (audit("/bedplate/v1/audit/log"), get(audit::log)),
        (audit("/bedplate/v1/audit/verify"), get(audit::verify)),
        (audit("/bedplate/v1/audit/witnesses"), get(audit::witnesses)),
        (audit("/bedplate/v1/audit/cosigned"), get(audit::cosigned)),
        (audit("/bedplate/v1/audit/checkpoint"), get(audit::checkpoint)),
        (audit("/bedplate/v1/audit/vkey"), get(audit::vkey)),
        (audit("/bedplate/v1/audit/tile/{*path}"), get(audit::tile)),
        (audit("/bedplate/v1/audit/proof/{leaf}"), get(audit::proof)),
        (read(log, Action::Get, "Workload"), get(log::log)),
        (read("/bedplate/v1/impact", Action::Get, "Lineage"), get(impact::impact)),
        (Operation::may("GET", "/metrics", Action::Get, "FeatureView", Hidden::LeftOut), get(metrics::metrics)),
    ];
    table.extend(costs::table());
    table.extend(policy::table());
    table.extend(tokens::table());
    table
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

/// What came in the body, looked at only once it is known who asks: a stranger is not told what a request looks like.
type Asked<T> = Result<Json<T>, JsonRejection>;

fn readable<T>(asked: Asked<T>, what: &str) -> Result<T, Failed> {
    let unreadable = |error: JsonRejection| {
        let why = format!("the request is not readable: {}", error.body_text());
        Failed(Problem::new(ErrorKind::Invalid, what, why))
    };
    asked.map(|Json(asked)| asked).map_err(unreadable)
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
