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
        // Beside the things themselves their columns would hide them.
        Some("dot") if !graph.edges.is_empty() => {
            let graph = Graph { columns: Vec::new(), ..graph };
            ([(header::CONTENT_TYPE, "text/vnd.graphviz")], graph.to_dot()).into_response()
        }
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
pub fn openlineage(graph: &Graph) -> Vec<Value> {
    let producer = concat!("https://bedplate.dev/bedplate/", env!("CARGO_PKG_VERSION"));
    bedplate_openlineage::export(graph, bedplate_openlineage::Origin { producer, namespace: bedplate_lineage::LOCAL })
}

/// The namespace whose readers may see the node; none where what it stands beside decides.
pub fn namespace_of(node: &Node) -> Option<&str> {
    match node {
        Node::Table { namespace, .. }
        | Node::View { namespace, .. }
        | Node::Feature { namespace, .. }
        | Node::Model { namespace, .. }
        | Node::Endpoint { namespace, .. }
        | Node::Recipe { namespace, .. }
        | Node::Monitor { namespace, .. }
        | Node::Device { namespace, .. } => Some(namespace),
        Node::Column { of, .. } => namespace_of(of),
        // Runs of before they were told apart by namespace have none.
        Node::Run(id) => id.as_str().split_once('/').map(|(namespace, _)| namespace),
        Node::Source(_) | Node::Snapshot(_) | Node::Prediction(_) => None,
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
    let graph = db.read(|tx| walk(tx, &start, downstream).map_err(|error| of(&error)))?;
    if graph.edges.is_empty() && graph.columns.is_empty() && graph.nodes.len() <= 1 {
        return Err(unknown(node));
    }
    Ok(graph)
}

/// Of a column or a feature, the columns it came of or went to; of anything else the graph, with the columns within it.
fn walk(tx: &mut dyn bedplate_db::Tx, start: &Node, downstream: bool) -> Result<Graph, bedplate_lineage::LineageError> {
    if matches!(start, Node::Column { .. } | Node::Feature { .. }) {
        let walk = if downstream { bedplate_lineage::column_downstream } else { bedplate_lineage::column_upstream };
        let (nodes, columns, cut) = walk(tx, std::slice::from_ref(start), bedplate_lineage::Bounds::default())?;
        let nodes = nodes.into_iter().map(|node| (node, Value::Null)).collect();
        return Ok(Graph { nodes, columns, truncated: cut.is_some(), cut, ..Graph::default() });
    }
    let walk = if downstream { bedplate_lineage::downstream } else { bedplate_lineage::upstream };
    let graph = walk(tx, start)?;
    with_columns(tx, graph)
}

fn with_columns(tx: &mut dyn bedplate_db::Tx, mut graph: Graph) -> Result<Graph, bedplate_lineage::LineageError> {
    let nodes: Vec<Node> = graph.nodes.iter().map(|(node, _)| node.clone()).collect();
    graph.columns = bedplate_lineage::columns_between(tx, &nodes)?;
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
    let graph = bedplate_lineage::upstream(tx, &model).and_then(|graph| with_columns(tx, graph));
    let mut graph = graph.map_err(|error| Problem::of(&what, &error))?;
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
    let told = json!({ "at": record.at, "principal": record.principal, "viewVersions": *record.view_versions, "request": record.request, "probability": record.probability, "modelDigest": record.digest });
    graph.nodes.insert(0, (prediction, told));
    Ok(graph)
}
