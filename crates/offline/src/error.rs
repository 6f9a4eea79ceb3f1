//! Why historical features could not be made.

use arrow::error::ArrowError;
use bedplate_features::FeatureError;
use bedplate_query::QueryError;
use bedplate_types::{ErrorKind, Explained, Problem};

#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    #[error("the query of the label rows")]
    Labels(#[source] QueryError),
    #[error("the query of feature view {view}")]
    Source { view: String, source: QueryError },
    /// Of sources that are shown as far as somebody may see them.
    #[error("the query of feature view {view}")]
    Shown { view: String, source: Problem },
    #[error("the label rows")]
    Given(#[source] Problem),
    #[error("joining feature view {view}")]
    Features { view: String, source: FeatureError },
    #[error("joining feature view {view} was stopped by a fault of its own")]
    Stopped { view: String },
    #[error("putting label rows and features together")]
    Arrow(#[from] ArrowError),
}

impl Explained for OfflineError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Labels(source) | Self::Source { source, .. } => source.kind(),
            Self::Shown { source, .. } | Self::Given(source) => source.kind,
            Self::Features { source, .. } => source.kind(),
            Self::Stopped { .. } | Self::Arrow(_) => ErrorKind::Internal,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Labels(source) | Self::Source { source, .. } => source.fix(),
            Self::Shown { source, .. } | Self::Given(source) => source.fix.clone(),
            Self::Features { source, .. } => source.fix(),
            Self::Stopped { .. } | Self::Arrow(_) => None,
        }
    }
}
