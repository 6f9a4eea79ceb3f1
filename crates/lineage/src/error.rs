//! What the graph refuses.

use bedplate_db::DbError;
use bedplate_types::{ErrorKind, Explained};

use crate::{InvalidNode, Node};

/// A failure of the lineage graph.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineageError {
    #[error("{0} cannot come from itself")]
    Loop(Node),
    #[error("{0} is neither a column nor a feature")]
    NotAColumn(Node),
    #[error("nothing is known of {}", told(table, column.as_deref()))]
    UnknownColumn { table: String, column: Option<String> },
    #[error("facts about {0} must be a JSON object")]
    NotAnObject(Node),
    #[error("the stored facts about {node} are not JSON")]
    Facts { node: Node, source: serde_json::Error },
    #[error("a stored node is not readable")]
    Node(#[from] InvalidNode),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Explained for LineageError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Loop(_) | Self::NotAnObject(_) | Self::NotAColumn(_) => ErrorKind::Invalid,
            Self::UnknownColumn { .. } => ErrorKind::NotFound,
            Self::Facts { .. } | Self::Node(_) => ErrorKind::Corrupt,
            Self::Db(error) => error.kind(),
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Db(error) => error.fix(),
            Self::UnknownColumn { .. } => Some(
                "bedplate get datasets -A  # shows what there is; a column is known once its dataset was ingested"
                    .into(),
            ),
            _ => None,
        }
    }
}

fn told(table: &str, column: Option<&str>) -> String {
    column.map_or_else(|| format!("the table {table}"), |column| format!("the column {column:?} of {table}"))
}
