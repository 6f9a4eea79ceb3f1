//! A part of the graph, as plain values.

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::{ColumnEdge, Edge, Node};

/// A part of the graph. As JSON: `{"nodes": [{"id", "sort", "facts"}], "edges": [{"from", "to", "by", "at"}],
/// "columns": [{"from", "to", "how", "by", "at"}], "truncated", "cut"}`; `columns` and `cut` are left out when empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Graph {
    /// The nodes the walk began at, then their neighbours, and so on; facts are null where nothing was told.
    #[serde(serialize_with = "nodes_as_objects")]
    pub nodes: Vec<(Node, Value)>,
    pub edges: Vec<Edge>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnEdge>,
    /// There is more than the bounds allow.
    pub truncated: bool,
    /// Which bound was met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
}

fn nodes_as_objects<S: Serializer>(nodes: &[(Node, Value)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut seq = serializer.serialize_seq(Some(nodes.len()))?;
    for (node, facts) in nodes {
        seq.serialize_element(&json!({ "id": node, "sort": node.sort(), "facts": facts }))?;
    }
    seq.end()
}
