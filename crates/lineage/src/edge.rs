//! How the graph grows: an edge from a cause to its effect, and facts about a node.

use bedplate_db::Tx;
use bedplate_types::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{LineageError, Node};

/// `to` was made from `from`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// The cause.
    pub from: Node,
    /// The effect.
    pub to: Node,
    /// The run or the actor that made one from the other.
    pub by: String,
    pub at: Timestamp,
}

/// Adds the edge. Adding it again, also at another time, changes nothing.
///
/// # Errors
/// [`LineageError::Loop`] when cause and effect are the same node.
pub fn link(tx: &mut dyn Tx, edge: &Edge) -> Result<(), LineageError> {
    if edge.from == edge.to {
        return Err(LineageError::Loop(edge.from.clone()));
    }
    tx.execute(
        "INSERT INTO lineage_edges (cause, effect, made_by, at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (cause, effect, made_by) DO NOTHING",
        &[edge.from.to_string().into(), edge.to.to_string().into(), (&edge.by).into(), edge.at.micros().into()],
    )?;
    Ok(())
}

/// Adds facts about a node, a JSON object; a fact told again replaces the earlier one of that name.
///
/// # Errors
/// [`LineageError::NotAnObject`].
pub fn describe(tx: &mut dyn Tx, node: &Node, told: &Value) -> Result<(), LineageError> {
    let Value::Object(told) = told else { return Err(LineageError::NotAnObject(node.clone())) };
    let mut known = match facts(tx, node)? {
        Some(Value::Object(known)) => known,
        _ => serde_json::Map::new(),
    };
    known.extend(told.clone());
    tx.execute(
        "INSERT INTO lineage_nodes (id, facts) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET facts = excluded.facts",
        &[node.to_string().into(), Value::Object(known).to_string().into()],
    )?;
    Ok(())
}

/// What is known about a node, if anything was told.
///
/// # Errors
/// [`LineageError::Facts`] when what is stored is not JSON.
pub fn facts(tx: &mut dyn Tx, node: &Node) -> Result<Option<Value>, LineageError> {
    let rows = tx.query("SELECT facts FROM lineage_nodes WHERE id = $1", &[node.to_string().into()])?;
    rows.first().map(|row| parse_facts(node, row.text(0)?)).transpose()
}

pub(crate) fn parse_facts(node: &Node, text: &str) -> Result<Value, LineageError> {
    serde_json::from_str(text).map_err(|source| LineageError::Facts { node: node.clone(), source })
}
