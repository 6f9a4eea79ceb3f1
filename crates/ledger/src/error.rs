//! What the ledger refuses.

use bedplate_db::DbError;
use bedplate_types::{ErrorKind, Explained};

use crate::UsageEvent;

/// A failure of the ledger.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    #[error("usage {id:?} was recorded as {known}, and is now told as {told}")]
    Conflict { id: String, known: String, told: String },
    #[error("usage {id:?} costs more than can be counted: {amount_micro} millionths of {resource:?}")]
    Overflow { id: String, resource: String, amount_micro: i64 },
    #[error("the entry {entry:?} is not balanced: off by {by}")]
    Unbalanced { entry: String, by: String },
    #[error("there is no usage {id:?}")]
    Unknown { id: String },
    #[error("usage {id:?} has no price yet: there is nothing to reverse")]
    NotPosted { id: String },
    #[error("the price sheet {sheet:?} overlaps {other:?}, which counts {span}")]
    Overlap { sheet: String, other: String, span: String },
    #[error("the price sheet {sheet:?} ends before it begins")]
    Span { sheet: String },
    #[error("there are more than {limit} lines")]
    TooMany { limit: usize },
    #[error("the ledger does not add up: {0}")]
    Wrong(String),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl LedgerError {
    pub(crate) fn overflow(event: &UsageEvent) -> Self {
        let UsageEvent { id, resource, amount_micro, .. } = event.clone();
        Self::Overflow { id, resource, amount_micro }
    }
}

impl Explained for LedgerError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::Overflow { .. } | Self::Overlap { .. } | Self::Span { .. } => ErrorKind::Invalid,
            Self::Unknown { .. } => ErrorKind::NotFound,
            Self::NotPosted { .. } => ErrorKind::NotReady,
            Self::TooMany { .. } => ErrorKind::TooLarge,
            Self::Unbalanced { .. } => ErrorKind::Internal,
            Self::Wrong(_) => ErrorKind::Corrupt,
            Self::Db(error) => error.kind(),
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Conflict { .. } => Some("give the usage an id of its own, or reverse what was recorded".into()),
            Self::NotPosted { .. } => Some("declare a PriceSheet that has a price for it at its time".into()),
            Self::Overlap { other, .. } => {
                Some(format!("let one end where the other begins: spec.validTo of {other:?} or of this one"))
            }
            Self::Span { .. } => Some("correct spec.validFrom or spec.validTo".into()),
            Self::TooMany { .. } => Some("ask for a shorter time, or group by fewer things".into()),
            Self::Wrong(_) => Some("keep the home folder as evidence, and compare the ledger with a backup".into()),
            Self::Db(error) => error.fix(),
            _ => None,
        }
    }
}
