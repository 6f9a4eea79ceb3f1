//! What the ledger refuses.

use bedplate_db::DbError;
use bedplate_types::{ErrorKind, Explained};

/// A failure of the ledger.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    #[error("usage {id:?} is of the resource {resource:?}, which has no price; priced are: {priced}")]
    Unpriced { id: String, resource: String, priced: String },
    #[error("usage {id:?} costs more than can be counted: {amount_micro} millionths of {resource:?}")]
    Overflow { id: String, resource: String, amount_micro: i64 },
    #[error("usage {id:?} is priced in {sheet}, but this ledger is kept in {ledger}")]
    Currency { id: String, sheet: String, ledger: String },
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Explained for LedgerError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unpriced { .. } | Self::Overflow { .. } | Self::Currency { .. } => ErrorKind::Invalid,
            Self::Db(error) => error.kind(),
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Unpriced { resource, .. } => Some(format!("add a price for {resource} to the price sheet")),
            Self::Currency { ledger, .. } => Some(format!("write the price sheet in {ledger}")),
            Self::Overflow { .. } => None,
            Self::Db(error) => error.fix(),
        }
    }
}
