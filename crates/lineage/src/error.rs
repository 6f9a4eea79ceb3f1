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
            Self::Loop(_) | Self::NotAnObject(_) => ErrorKind::Invalid,
            Self::Facts { .. } | Self::Node(_) => ErrorKind::Corrupt,
            Self::Db(error) => error.kind(),
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Db(error) => error.fix(),
            _ => None,
        }
    }
}
