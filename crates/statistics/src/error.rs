//! Why statistics could not be gathered.

use arrow::error::ArrowError;
use bedplate_features::FeatureError;
use bedplate_offline::OfflineError;
use bedplate_types::{ErrorKind, Explained};

#[derive(Debug, thiserror::Error)]
pub enum StatisticsError {
    #[error("the rows of the source")]
    Offline(#[from] OfflineError),
    #[error("the features of the rows")]
    Features(#[from] FeatureError),
    #[error("putting values together")]
    Arrow(#[from] ArrowError),
}

impl Explained for StatisticsError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Offline(source) => source.kind(),
            Self::Features(source) => source.kind(),
            Self::Arrow(_) => ErrorKind::Internal,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Offline(source) => source.fix(),
            Self::Features(source) => source.fix(),
            Self::Arrow(_) => None,
        }
    }
}
