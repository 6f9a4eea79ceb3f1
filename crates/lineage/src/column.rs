//! Columns that were made of columns.

use std::collections::BTreeSet;

use bedplate_db::{Row, Tx};
use bedplate_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::walk::{Reached, reach};
use crate::{Bounds, LOCAL, LineageError, Node};

/// One column came of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnEdge {
    /// The cause: a column or a feature.
    pub from: Node,
    /// The effect: a column or a feature.
    pub to: Node,
    pub how: How,
    /// The run or the actor that made one from the other.
    pub by: String,
    pub at: Timestamp,
}

/// How a column came of another, the closest first: what its values are made of, then what decided which values there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum How {
    Identity,
    Transformation,
    Aggregation,
    Join,
    GroupBy,
    Filter,
    Sort,
    Window,
}

impl How {
    pub const ALL: [Self; 8] = [
        Self::Identity,
        Self::Transformation,
        Self::Aggregation,
        Self::Join,
        Self::GroupBy,
        Self::Filter,
        Self::Sort,
        Self::Window,
    ];

    /// Whether the values themselves are made of it.
    #[must_use]
    pub const fn is_direct(self) -> bool {
        matches!(self, Self::Identity | Self::Transformation | Self::Aggregation)
    }

    /// The subtype of OpenLineage's column lineage facet; it is how the word is stored, too.
    #[must_use]
    pub const fn subtype(self) -> &'static str {
        match self {
            Self::Identity => "IDENTITY",
            Self::Transformation => "TRANSFORMATION",
            Self::Aggregation => "AGGREGATION",
            Self::Join => "JOIN",
            Self::GroupBy => "GROUP_BY",
            Self::Filter => "FILTER",
            Self::Sort => "SORT",
            Self::Window => "WINDOW",
        }
    }

    fn read(text: &str) -> Self {
        // A word of a later version is taken for the least that can be said.
        Self::ALL.into_iter().find(|how| how.subtype() == text).unwrap_or(Self::Filter)
    }
}

const COLUMNS: &str = "cause, effect, how, made_by, at";

/// Adds the edge. Adding it again changes nothing, but that of two ways the closer one stays.
///
/// # Errors
/// [`LineageError::Loop`] when cause and effect are the same, [`LineageError::NotAColumn`] when one is neither a column nor a
/// feature.
pub fn link_column(tx: &mut dyn Tx, edge: &ColumnEdge) -> Result<(), LineageError> {
    if edge.from == edge.to {
        return Err(LineageError::Loop(edge.from.clone()));
    }
    let place = |node: &Node| {
        let place = node.place(LOCAL);
        let field = place.field.ok_or_else(|| LineageError::NotAColumn(node.clone()))?;
        Ok::<_, LineageError>([place.namespace.into(), place.dataset.into(), field.into()])
    };
    let mut args = vec![
        edge.from.to_string().into(),
        edge.to.to_string().into(),
        edge.how.subtype().into(),
        (&edge.by).into(),
        edge.at.micros().into(),
    ];
    args.extend(place(&edge.from)?);
    args.extend(place(&edge.to)?);
    let known = tx.query("SELECT how FROM lineage_columns WHERE cause = $1 AND effect = $2", &args[..2])?;
    if known.first().map(|row| row.text(0).map(How::read)).transpose()?.is_some_and(|known| known <= edge.how) {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO lineage_columns
             (cause, effect, how, made_by, at, of_namespace, of_dataset, of_field, namespace, dataset, field)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (cause, effect) DO UPDATE SET how = excluded.how",
        &args,
    )?;
    Ok(())
}

/// The columns a walk came to, the edges between them, and which bound cut it, if one did.
pub type ColumnWalk = (Vec<Node>, Vec<ColumnEdge>, Option<String>);

/// Columns that were made of these, and how; near or far, within bounds.
///
/// # Errors
/// [`LineageError::Db`], [`LineageError::Node`].
pub fn column_downstream(tx: &mut dyn Tx, columns: &[Node], bounds: Bounds) -> Result<ColumnWalk, LineageError> {
    let reached = reach(tx, ("lineage_columns", COLUMNS, "cause"), columns, bounds, read, |edge| edge.to.clone())?;
    Ok(apart(reached))
}

/// Columns that these were made of, and how; near or far, within bounds.
///
/// # Errors
/// As [`column_downstream`].
pub fn column_upstream(tx: &mut dyn Tx, columns: &[Node], bounds: Bounds) -> Result<ColumnWalk, LineageError> {
    let reached = reach(tx, ("lineage_columns", COLUMNS, "effect"), columns, bounds, read, |edge| edge.from.clone())?;
    Ok(apart(reached))
}

fn apart(reached: Reached<ColumnEdge>) -> ColumnWalk {
    (reached.nodes, reached.edges, reached.cut)
}

/// The edges between columns of these nodes.
///
/// # Errors
/// As [`column_downstream`].
pub fn columns_between(tx: &mut dyn Tx, nodes: &[Node]) -> Result<Vec<ColumnEdge>, LineageError> {
    let mut between = Vec::new();
    let wanted: BTreeSet<&Node> = nodes.iter().collect();
    let known = |node: &Node| node.owner().is_some_and(|owner| wanted.contains(&owner));
    for place in nodes.iter().map(|node| node.place(LOCAL)).collect::<BTreeSet<_>>() {
        let sql = format!(
            "SELECT {COLUMNS} FROM lineage_columns WHERE namespace = $1 AND dataset = $2 ORDER BY effect, cause LIMIT 20000"
        );
        for row in tx.query(&sql, &[place.namespace.into(), place.dataset.into()])? {
            let edge = read(&row)?;
            if known(&edge.from) && known(&edge.to) {
                between.push(edge);
            }
        }
    }
    Ok(between)
}

/// The columns that are known of a dataset in all its versions, or the one of this name.
pub(crate) fn known(
    tx: &mut dyn Tx,
    namespace: &str,
    dataset: &str,
    field: Option<&str>,
) -> Result<Vec<Node>, LineageError> {
    let args = [namespace.into(), dataset.into(), field.unwrap_or_default().into()];
    let sql = "SELECT DISTINCT cause FROM lineage_columns WHERE of_namespace = $1 AND of_dataset = $2 AND ($3 = '' OR of_field = $3)
               UNION SELECT DISTINCT effect FROM lineage_columns WHERE namespace = $1 AND dataset = $2 AND ($3 = '' OR field = $3)
               ORDER BY 1 LIMIT 10000";
    tx.query(sql, &args)?.iter().map(|row| Ok(row.text(0)?.parse()?)).collect()
}

fn read(row: &Row) -> Result<ColumnEdge, LineageError> {
    Ok(ColumnEdge {
        from: row.text(0)?.parse()?,
        to: row.text(1)?.parse()?,
        how: How::read(row.text(2)?),
        by: row.text(3)?.to_owned(),
        at: Timestamp::from_micros(row.int(4)?),
    })
}
