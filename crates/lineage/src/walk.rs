//! Walks along the edges, breadth first, bounded.

use std::collections::{BTreeSet, HashMap};

use bedplate_db::{Row, Tx, Value as Sql};
use bedplate_types::Timestamp;
use serde_json::Value;

use crate::edge::parse_facts;
use crate::{Bounds, Edge, Graph, LineageError, Node};

/// The edges between things, and what is read of them.
pub(crate) const EDGES: &str = "lineage_edges";
pub(crate) const CAUSES: &str = "cause, effect, made_by, at";

/// So many nodes are asked about at once.
const BATCH: usize = 500;

/// Everything `node` was made from, near or far.
///
/// # Errors
/// [`LineageError::Db`]; [`LineageError::Node`] and [`LineageError::Facts`] when stored text was damaged.
pub fn upstream(tx: &mut dyn Tx, node: &Node) -> Result<Graph, LineageError> {
    upstream_of(tx, std::slice::from_ref(node), Bounds::default())
}

/// Everything that was made from `node`, near or far.
///
/// # Errors
/// As [`upstream`].
pub fn downstream(tx: &mut dyn Tx, node: &Node) -> Result<Graph, LineageError> {
    downstream_of(tx, std::slice::from_ref(node), Bounds::default())
}

/// Everything that these nodes were made from, within bounds.
///
/// # Errors
/// As [`upstream`].
pub fn upstream_of(tx: &mut dyn Tx, nodes: &[Node], bounds: Bounds) -> Result<Graph, LineageError> {
    nodes_and_edges(tx, Way { near: "effect", back: true }, nodes, bounds)
}

/// Everything that was made from these nodes, within bounds.
///
/// # Errors
/// As [`upstream`].
pub fn downstream_of(tx: &mut dyn Tx, nodes: &[Node], bounds: Bounds) -> Result<Graph, LineageError> {
    nodes_and_edges(tx, Way { near: "cause", back: false }, nodes, bounds)
}

#[derive(Clone, Copy)]
struct Way {
    /// The end of an edge that the walk stands on.
    near: &'static str,
    back: bool,
}

fn nodes_and_edges(tx: &mut dyn Tx, way: Way, starts: &[Node], bounds: Bounds) -> Result<Graph, LineageError> {
    let far = |edge: &Edge| if way.back { edge.from.clone() } else { edge.to.clone() };
    let reached = reach(tx, (EDGES, CAUSES, way.near), starts, bounds, read, far)?;
    let facts = facts_of(tx, &reached.nodes)?;
    let nodes = reached.nodes.into_iter().map(|node| {
        let told = facts.get(&node).cloned().unwrap_or_default();
        (node, told)
    });
    Ok(Graph {
        nodes: nodes.collect(),
        edges: reached.edges,
        columns: Vec::new(),
        truncated: reached.cut.is_some(),
        cut: reached.cut,
    })
}

pub(crate) fn read(row: &Row) -> Result<Edge, LineageError> {
    Ok(Edge {
        from: row.text(0)?.parse()?,
        to: row.text(1)?.parse()?,
        by: row.text(2)?.to_owned(),
        at: Timestamp::from_micros(row.int(3)?),
    })
}

/// What a walk came to: every edge has both its ends among the nodes.
pub(crate) struct Reached<E> {
    pub nodes: Vec<Node>,
    pub edges: Vec<E>,
    pub cut: Option<String>,
}

/// Goes from frontier to frontier. `table` is the edges' table, its columns, and the column the walk stands on.
pub(crate) fn reach<E>(
    tx: &mut dyn Tx,
    table: (&str, &str, &str),
    starts: &[Node],
    bounds: Bounds,
    read: impl Fn(&Row) -> Result<E, LineageError>,
    far: impl Fn(&E) -> Node,
) -> Result<Reached<E>, LineageError> {
    let mut seen: BTreeSet<Node> = BTreeSet::new();
    let mut reached = Reached { nodes: Vec::new(), edges: Vec::new(), cut: None };
    let mut frontier: Vec<Node> = starts.iter().filter(|node| seen.insert((*node).clone())).cloned().collect();
    if frontier.len() > bounds.nodes {
        frontier.truncate(bounds.nodes);
        reached.cut = Some(bounds.nodes_reached());
    }
    reached.nodes.extend(frontier.iter().cloned());
    let mut depth = 0;
    while !frontier.is_empty() {
        let mut next = Vec::new();
        for edge in edges_at(tx, table, &frontier, &read)? {
            let node = far(&edge);
            if !seen.contains(&node) {
                if depth >= bounds.depth {
                    reached.cut.get_or_insert_with(|| bounds.depth_reached());
                    continue;
                }
                if reached.nodes.len() >= bounds.nodes {
                    reached.cut.get_or_insert_with(|| bounds.nodes_reached());
                    continue;
                }
                seen.insert(node.clone());
                reached.nodes.push(node.clone());
                next.push(node);
            }
            reached.edges.push(edge);
        }
        (frontier, depth) = (next, depth + 1);
    }
    Ok(reached)
}

pub(crate) fn edges_at<E>(
    tx: &mut dyn Tx,
    (table, columns, near): (&str, &str, &str),
    nodes: &[Node],
    read: &impl Fn(&Row) -> Result<E, LineageError>,
) -> Result<Vec<E>, LineageError> {
    let mut edges = Vec::new();
    for batch in nodes.chunks(BATCH) {
        let sql =
            format!("SELECT {columns} FROM {table} WHERE {near} IN ({}) ORDER BY cause, effect", places(batch.len()));
        for row in tx.query(&sql, &texts(batch))? {
            edges.push(read(&row)?);
        }
    }
    Ok(edges)
}

fn facts_of(tx: &mut dyn Tx, nodes: &[Node]) -> Result<HashMap<Node, Value>, LineageError> {
    let mut facts = HashMap::new();
    for batch in nodes.chunks(BATCH) {
        let sql = format!("SELECT id, facts FROM lineage_nodes WHERE id IN ({})", places(batch.len()));
        for row in tx.query(&sql, &texts(batch))? {
            let node: Node = row.text(0)?.parse()?;
            let told = parse_facts(&node, row.text(1)?)?;
            facts.insert(node, told);
        }
    }
    Ok(facts)
}

/// `$1, $2, …`
pub(crate) fn places(count: usize) -> String {
    (1..=count).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
}

pub(crate) fn texts(nodes: &[Node]) -> Vec<Sql> {
    nodes.iter().map(|node| node.to_string().into()).collect()
}
