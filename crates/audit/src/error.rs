//! What can be wrong with the log, and where.

use bedplate_db::DbError;
use bedplate_types::{ErrorKind, Explained};

/// A failure of the log. Those that speak of leaves mean that it was changed after it was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    #[error("audit leaf {index} was changed: its bytes do not have the hash that was stored with it")]
    Leaf { index: u64 },
    #[error("audit leaf {index} is missing")]
    Missing { index: u64 },
    #[error("among the audit leaves {first} to {last} one was changed, or the hash over them was")]
    Node { first: u64, last: u64 },
    #[error(
        "the checkpoint of {size} leaves has another root: among the audit leaves {first} to {last} one was changed"
    )]
    Root { size: u64, first: u64, last: u64 },
    #[error("the checkpoint of {size} leaves was rewritten: {why}")]
    Checkpoint { size: u64, why: String },
    #[error("this is not a signed checkpoint: {0}")]
    Note(&'static str),
    #[error("this is not an Ed25519 public key, or not one of the kind that is asked for here")]
    Key,
    #[error(
        "{0:?} cannot be the origin of a checkpoint: it must not be empty nor hold spaces, control characters or +"
    )]
    Origin(String),
    #[error("the audit log has {leaves} leaves, and a proof for leaf {index} among {size} was asked for")]
    OutOfRange { index: u64, size: u64, leaves: u64 },
    #[error("the audit log has {leaves} leaves, and a proof from {old} to {new} leaves was asked for")]
    Sizes { old: u64, new: u64, leaves: u64 },
    #[error("an audit entry of {bytes} bytes was refused: a leaf has room for 65,535")]
    TooLarge { bytes: usize },
    #[error("audit leaf {index} has {bytes} bytes, and tlog-tiles has room for 65,535")]
    NoRoom { index: u64, bytes: usize },
    #[error("{0}")]
    Witness(&'static str),
    #[error("no trusted witness cosigned this log")]
    NotCosigned,
    #[error("the proof does not hold: {0}")]
    Proof(&'static str),
    #[error("audit leaf {index} is not a readable entry")]
    Entry { index: u64, source: serde_json::Error },
    #[error(transparent)]
    Db(#[from] DbError),
}

impl AuditError {
    /// The first leaf that cannot be trusted, when the log was found to be changed.
    #[must_use]
    pub const fn first_bad_leaf(&self) -> Option<u64> {
        match self {
            Self::Leaf { index } | Self::Missing { index } | Self::Entry { index, .. } => Some(*index),
            Self::Node { first, .. } | Self::Root { first, .. } => Some(*first),
            _ => None,
        }
    }
}

impl Explained for AuditError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Note(_) | Self::Key | Self::Origin(_) | Self::Witness(_) | Self::Proof(_) => ErrorKind::Invalid,
            Self::NotCosigned => ErrorKind::Refused,
            Self::OutOfRange { .. } | Self::Sizes { .. } => ErrorKind::NotFound,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::NoRoom { .. } => ErrorKind::Refused,
            Self::Db(error) => error.kind(),
            _ => ErrorKind::Corrupt,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Db(error) => error.fix(),
            Self::NotCosigned => {
                Some("bedplate up --audit-witness URL  # and export the log again once it has cosigned".into())
            }
            Self::OutOfRange { .. } => {
                Some("bedplate audit log  # shows the leaves; new ones are signed soon after".into())
            }
            _ if self.kind() == ErrorKind::Corrupt => {
                Some("keep the home folder as evidence, and compare the log with a backup".into())
            }
            _ => None,
        }
    }
}
