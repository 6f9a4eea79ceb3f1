//! Lineage: where a thing comes from, or what came of it.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bedplate_db::Db;
use bedplate_lineage::{Edge, Graph, Node};
use bedplate_policy::Action;
use bedplate_types::{ErrorKind, Explained, Problem};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Facts, Failed};

#[derive(Deserialize)]
pub struct TraceQuery {
    node: String,
    direction: Option<String>,
    #[serde(rename = "as")]
    form: Option<String>,
}

pub async fn trace(
    State(facts): State<Facts>,
    headers: HeaderMap,
    Query(query): Query<TraceQuery>,
) -> Result<Response, Failed> {
    let who = facts.who(&headers)?;
    let graph = find_trace(&facts.db, &query.node, query.direction.as_deref() == Some("downstream")).map_err(Failed)?;
    let may = |namespace| facts.may(&who, Action::Get, namespace, "Lineage").is_ok();
    let mut namespaces: Vec<_> = graph.nodes.iter().filter_map(|(node, _)| namespace_of(node)).map(Some).collect();
    if namespaces.is_empty() {
        // What hangs on no namespace is the platform's.
        namespaces.push(None);
    }
    if !namespaces.into_iter().all(may) {
        // Whether it exists is told to those only who may see all of it.
        return Err(Failed(unknown(&query.node)));
    }
    Ok(match query.form.as_deref() {
        Some("dot") => ([(header::CONTENT_TYPE, "text/vnd.graphviz")], graph.to_dot()).into_response(),
        Some("openlineage") => Json(openlineage(&graph)).into_response(),
        None => Json(graph).into_response(),
        Some(other) => {
            let why = format!("{other:?} is not a form of it; there are dot and openlineage");
            return Err(Failed(Problem::new(ErrorKind::Invalid, "the lineage", why)));
        }
    })
}

/// As events for another lineage server; what is in no namespace of ours is in `bedplate://local` there.
fn openlineage(graph: &Graph) -> Vec<Value> {
    let producer = concat!("https://bedplate.dev/bedplate/", env!("CARGO_PKG_VERSION"));
    bedplate_openlineage::export(graph, bedplate_openlineage::Origin { producer, namespace: "bedplate://local" })
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
    if let Some(id) = prediction_in(node) {
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
        return Err(unknown(node));
    }
    Ok(graph)
}

fn prediction_in(node: &str) -> Option<&str> {
    node.strip_prefix("prediction:").or_else(|| (!node.contains(':')).then_some(node))
}

fn unknown(node: &str) -> Problem {
    let (what, why, fix) = match prediction_in(node) {
        Some(id) => (
            format!("tracing prediction {id}"),
            "there is no such prediction",
            "its id is <request id>/<row>, for example replay-1372665600000000-163000/0",
        ),
        None => (format!("tracing {node}"), "nothing is known of it", "bedplate get models -A  # shows what there is"),
    };
    Problem::new(ErrorKind::NotFound, what, why).with_fix(fix)
}

fn trace_prediction(tx: &mut dyn bedplate_db::Tx, id: &str) -> Result<Graph, Problem> {
    let what = format!("tracing prediction {id}");
    let id = bedplate_types::PredictionId::new(id);
    let record = bedplate_serving::find(tx, &id).map_err(|error| Problem::of(&what, &error))?;
    let record = record.ok_or_else(|| unknown(id.as_str()))?;
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
