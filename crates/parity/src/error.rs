//! Why parity could not be looked at.

use arrow::error::ArrowError;
use bedplate_offline::OfflineError;
use bedplate_online::OnlineError;
use bedplate_types::{ErrorKind, Explained};

#[derive(Debug, thiserror::Error)]
pub enum ParityError {
    #[error("the rows of the source")]
    Offline(#[from] OfflineError),
    #[error("the rows of the online store")]
    Online(#[from] OnlineError),
    #[error("putting entities and moments together")]
    Arrow(#[from] ArrowError),
    #[error("reading the online store was stopped")]
    Stopped,
}

impl Explained for ParityError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Offline(source) => source.kind(),
            Self::Online(source) => source.kind(),
            Self::Arrow(_) | Self::Stopped => ErrorKind::Internal,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Offline(source) => source.fix(),
            Self::Online(source) => source.fix(),
            Self::Arrow(_) | Self::Stopped => None,
        }
    }
}
