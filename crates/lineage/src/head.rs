//! Which version of a thing counts now.

use std::fmt;

use bedplate_db::Tx;

use crate::{LineageError, Node};

/// A thing by its name, whatever its version: `view:flights/weather`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    pub sort: &'static str,
    pub namespace: String,
    pub name: String,
}

impl Named {
    pub fn new(sort: &'static str, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { sort, namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.sort, self.namespace, self.name)
    }
}

/// From now on `node` counts: a view's definition, a recipe's or a monitor's training set, the model version an endpoint
/// serves.
///
/// # Errors
/// [`LineageError::Db`].
pub fn lead(tx: &mut dyn Tx, named: &Named, node: &Node) -> Result<(), LineageError> {
    put(tx, named, &node.to_string())
}

/// The thing is gone: nothing of its name stands on anything any more.
///
/// # Errors
/// [`LineageError::Db`].
pub fn retire(tx: &mut dyn Tx, named: &Named) -> Result<(), LineageError> {
    put(tx, named, "")
}

fn put(tx: &mut dyn Tx, named: &Named, node: &str) -> Result<(), LineageError> {
    tx.execute(
        "INSERT INTO lineage_heads (name, node) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET node = excluded.node",
        &[named.to_string().into(), node.into()],
    )?;
    Ok(())
}

/// What counts of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// Nothing was ever told: whatever there is counts.
    Untold,
    Is(Node),
    Gone,
}

pub(crate) fn of(tx: &mut dyn Tx, named: &Named) -> Result<Head, LineageError> {
    let rows = tx.query("SELECT node FROM lineage_heads WHERE name = $1", &[named.to_string().into()])?;
    match rows.first().map(|row| row.text(0)).transpose()? {
        None => Ok(Head::Untold),
        Some("") => Ok(Head::Gone),
        Some(node) => Ok(Head::Is(node.parse()?)),
    }
}

/// The node that counts of a name, if one was told and it is not gone.
///
/// # Errors
/// [`LineageError::Db`], [`LineageError::Node`].
pub fn leading(tx: &mut dyn Tx, named: &Named) -> Result<Option<Node>, LineageError> {
    Ok(match of(tx, named)? {
        Head::Is(node) => Some(node),
        Head::Untold | Head::Gone => None,
    })
}
