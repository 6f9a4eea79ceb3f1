//! The few routes that are bedplate's own: lineage, audit log, a workload's log, what things cost.

mod audit;
mod log;
mod tokens;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bedplate_audit::PublicKey;
use bedplate_db::Db;
use bedplate_identity::{Authenticator, Principal};
use bedplate_lineage::{Edge, Graph, Node};
use bedplate_policy::{Action, Policy, Resource};
use bedplate_types::{Clock, ErrorKind, Explained, Problem};
use kube::Client;
use serde::Deserialize;
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
        .route("/bedplate/v1/trace", get(trace))
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

#[derive(Deserialize)]
struct TraceQuery {
    node: String,
    direction: Option<String>,
}

async fn trace(
    State(facts): State<Facts>,
    headers: HeaderMap,
    Query(query): Query<TraceQuery>,
) -> Result<Json<Value>, Failed> {
    let who = facts.who(&headers)?;
    let graph = find_trace(&facts.db, &query.node, query.direction.as_deref() == Some("downstream")).map_err(Failed)?;
    for (node, _) in &graph.nodes {
        if let Some(namespace) = namespace_of(node) {
            facts.may(&who, Action::Get, Some(namespace), "lineage")?;
        }
    }
    serde_json::to_value(&graph)
        .map(Json)
        .map_err(|error| Failed(Problem::new(ErrorKind::Internal, "the lineage", error.to_string())))
}

fn namespace_of(node: &Node) -> Option<&str> {
    match node {
        Node::Table { namespace, .. }
        | Node::View { namespace, .. }
        | Node::Model { namespace, .. }
        | Node::Endpoint { namespace, .. } => Some(namespace),
        Node::Source(_) | Node::Snapshot(_) | Node::Run(_) | Node::Prediction(_) => None,
    }
}

/// The lineage of a node. A prediction's own edges are drawn from its record: it came of its endpoint and its model.
pub fn find_trace(db: &Db, node: &str, downstream: bool) -> Result<Graph, Problem> {
    let of = |error: &dyn Explained| Problem::of(format!("tracing {node}"), error);
    let prediction = node.strip_prefix("prediction:").or_else(|| (!node.contains(':')).then_some(node));
    if let Some(id) = prediction {
        return db.read(|tx| trace_prediction(tx, id));
    }
    let start: Node = node.parse().map_err(|error: bedplate_lineage::InvalidNode| {
        Problem::new(ErrorKind::Invalid, format!("tracing {node}"), error.to_string())
    })?;
    let graph = db.read(|tx| {
        let walk = if downstream { bedplate_lineage::downstream } else { bedplate_lineage::upstream };
        walk(tx, &start).map_err(|error| of(&error))
    })?;
    if graph.edges.is_empty() && graph.nodes.len() <= 1 {
        let fix = "bedplate get models -A  # shows what there is";
        return Err(
            Problem::new(ErrorKind::NotFound, format!("tracing {node}"), "nothing is known of it").with_fix(fix)
        );
    }
    Ok(graph)
}

fn trace_prediction(tx: &mut dyn bedplate_db::Tx, id: &str) -> Result<Graph, Problem> {
    let what = format!("tracing prediction {id}");
    let id = bedplate_types::PredictionId::new(id);
    let record = bedplate_serving::find(tx, &id).map_err(|error| Problem::of(&what, &error))?;
    let record = record.ok_or_else(|| {
        Problem::new(ErrorKind::NotFound, &what, "there is no such prediction")
            .with_fix("its id is <request id>/<row>, for example replay-1372665600000000-163000/0")
    })?;
    let model = Node::model(&record.endpoint.namespace, &record.model, record.version);
    let mut graph = bedplate_lineage::upstream(tx, &model).map_err(|error| Problem::of(&what, &error))?;
    let prediction = Node::Prediction(id);
    let endpoint = Node::endpoint(&record.endpoint.namespace, &record.endpoint.name);
    let edge = |from: &Node, to: &Node| Edge {
        from: from.clone(),
        to: to.clone(),
        by: record.endpoint.to_string(),
        at: record.at,
    };
    graph.edges.insert(0, edge(&model, &endpoint));
    graph.edges.insert(0, edge(&endpoint, &prediction));
    graph.nodes.insert(0, (endpoint, json!({ "model": record.model, "version": record.version })));
    let told = json!({ "at": record.at, "request": record.request, "probability": record.probability, "modelDigest": record.digest });
    graph.nodes.insert(0, (prediction, told));
    Ok(graph)
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
