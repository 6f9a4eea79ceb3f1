//! The port to the features.

use arrow::array::RecordBatch;
use bedplate_identity::Principal;
use bedplate_types::{ErrorKind, Explained, Problem};

/// Takes feature values. The caller has been authenticated and authorised for the namespace.
#[async_trait::async_trait]
pub trait FeatureStore: Send + Sync {
    /// Brings rows into every view the push source feeds; they are durable when it returns. Strings come as Utf8 (times
    /// too, as they were written), whole numbers as Int64, others and columns without any value as Float64, booleans as
    /// Boolean; all nullable, at least one row.
    async fn push(
        &self,
        principal: &Principal,
        namespace: &str,
        source: &str,
        frame: RecordBatch,
    ) -> Result<(), StoreError>;
}

/// Why a store could not do it. The first reads as Feast words it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("Unable to find push source '{0}'.")]
    NoPushSource(String),
    /// The frame or the entities lack something, or have it in the wrong type.
    #[error("column {column:?} {why}")]
    Column { column: String, why: String },
    #[error(transparent)]
    Other(#[from] Problem),
}

impl Explained for StoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoPushSource(_) => ErrorKind::NotFound,
            Self::Column { .. } => ErrorKind::Invalid,
            Self::Other(problem) => problem.kind,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Other(problem) => problem.fix.clone(),
            _ => None,
        }
    }
}
