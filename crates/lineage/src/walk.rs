//! Walks along the edges, breadth first, bounded.

use std::collections::BTreeSet;

use bedplate_db::{Row, Tx};
use bedplate_types::Timestamp;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::edge::parse_facts;
use crate::{Edge, LineageError, Node};

/// A walk stops after this many nodes and says so.
pub const MAX_NODES: usize = 10_000;

/// A part of the graph. As JSON: `{"nodes": [{"id", "sort", "facts"}], "edges": [{"from", "to", "by", "at"}], "truncated"}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Graph {
    /// The node the walk began at, then its neighbours, and so on; facts are null where nothing was told.
    #[serde(serialize_with = "nodes_as_objects")]
    pub nodes: Vec<(Node, Value)>,
    pub edges: Vec<Edge>,
    /// There is more than [`MAX_NODES`] nodes: the farthest are missing.
    pub truncated: bool,
}

fn nodes_as_objects<S: Serializer>(nodes: &[(Node, Value)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut seq = serializer.serialize_seq(Some(nodes.len()))?;
    for (node, facts) in nodes {
        seq.serialize_element(&json!({ "id": node, "sort": node.sort(), "facts": facts }))?;
    }
    seq.end()
}

// The limit stands outside the recursion: PostgreSQL takes none inside, and both engines stop when it is reached. The walk is
// numbered as it comes, near nodes first: a join keeps no order of its own.
const UPSTREAM: &str = "
    WITH RECURSIVE walk (id) AS (
        SELECT CAST($1 AS TEXT) UNION SELECT e.cause FROM lineage_edges e JOIN walk w ON e.effect = w.id
    )
    SELECT w.id, n.facts, e.cause, e.effect, e.made_by, e.at
    FROM (SELECT id, ROW_NUMBER() OVER () AS place FROM (SELECT id FROM walk LIMIT $2) AS near) w
    LEFT JOIN lineage_nodes n ON n.id = w.id LEFT JOIN lineage_edges e ON e.effect = w.id
    ORDER BY w.place, e.cause, e.made_by";
const DOWNSTREAM: &str = "
    WITH RECURSIVE walk (id) AS (
        SELECT CAST($1 AS TEXT) UNION SELECT e.effect FROM lineage_edges e JOIN walk w ON e.cause = w.id
    )
    SELECT w.id, n.facts, e.cause, e.effect, e.made_by, e.at
    FROM (SELECT id, ROW_NUMBER() OVER () AS place FROM (SELECT id FROM walk LIMIT $2) AS near) w
    LEFT JOIN lineage_nodes n ON n.id = w.id LEFT JOIN lineage_edges e ON e.cause = w.id
    ORDER BY w.place, e.effect, e.made_by";

/// Everything `node` was made from, near or far.
///
/// # Errors
/// [`LineageError::Db`]; [`LineageError::Node`] and [`LineageError::Facts`] when stored text was damaged.
pub fn upstream(tx: &mut dyn Tx, node: &Node) -> Result<Graph, LineageError> {
    walk(tx, UPSTREAM, node, MAX_NODES)
}

/// Everything that was made from `node`, near or far.
///
/// # Errors
/// As [`upstream`].
pub fn downstream(tx: &mut dyn Tx, node: &Node) -> Result<Graph, LineageError> {
    walk(tx, DOWNSTREAM, node, MAX_NODES)
}

fn walk(tx: &mut dyn Tx, sql: &str, start: &Node, bound: usize) -> Result<Graph, LineageError> {
    let one_more = i64::try_from(bound + 1).unwrap_or(i64::MAX);
    let mut graph = Graph::default();
    let mut seen = BTreeSet::new();
    for row in tx.query(sql, &[start.to_string().into(), one_more.into()])? {
        let node: Node = row.text(0)?.parse()?;
        if seen.insert(node.clone()) {
            let facts = row.opt_text(1)?.map_or(Ok(Value::Null), |text| parse_facts(&node, text))?;
            graph.nodes.push((node, facts));
        }
        graph.edges.extend(edge(&row)?);
    }
    Ok(cut(graph, bound))
}

fn edge(row: &Row) -> Result<Option<Edge>, LineageError> {
    let Some(cause) = row.opt_text(2)? else { return Ok(None) };
    Ok(Some(Edge {
        from: cause.parse()?,
        to: row.text(3)?.parse()?,
        by: row.text(4)?.to_owned(),
        at: Timestamp::from_micros(row.int(5)?),
    }))
}

/// Keeps `bound` nodes and the edges between them.
fn cut(mut graph: Graph, bound: usize) -> Graph {
    graph.truncated = graph.nodes.len() > bound;
    if graph.truncated {
        graph.nodes.truncate(bound);
        let kept: BTreeSet<&Node> = graph.nodes.iter().map(|(node, _)| node).collect();
        graph.edges.retain(|edge| kept.contains(&edge.from) && kept.contains(&edge.to));
    }
    graph
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_graph_has_no_edge_into_nothing() {
        let run = |id: &str| Node::run(id);
        let edge =
            |from: &str, to: &str| Edge { from: run(from), to: run(to), by: "b".into(), at: Timestamp::default() };
        let nodes = ["a", "b", "c"].map(|id| (run(id), Value::Null)).to_vec();
        let whole = Graph { nodes, edges: vec![edge("b", "a"), edge("c", "b")], truncated: false };
        assert_eq!(cut(whole.clone(), 3), whole);
        let part = cut(whole, 2);
        assert_eq!((part.nodes.len(), part.edges, part.truncated), (2, vec![edge("b", "a")], true));
    }
}
