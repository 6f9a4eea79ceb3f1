//! Why a model cannot be loaded or rows cannot be scored.

use bedplate_onnx::OnnxError;
use bedplate_types::{ErrorKind, Explained};

/// A model or rows that are refused.
#[derive(Debug, thiserror::Error)]
pub enum InferError {
    #[error("the model cannot be read")]
    Unreadable(#[from] OnnxError),
    /// The model is sound ONNX that this engine does not run.
    #[error("the model uses {0}, which this engine does not run")]
    Unsupported(String),
    /// The model contradicts itself.
    #[error("the model is malformed: {0}")]
    Malformed(String),
    #[error("the model takes {expected} features a row, {given} were given")]
    WrongWidth { expected: usize, given: usize },
    #[error("{values} values do not make rows of {width} features")]
    Ragged { values: usize, width: usize },
}

impl Explained for InferError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreadable(OnnxError::TooLarge { .. }) => ErrorKind::TooLarge,
            Self::Unreadable(_) | Self::Malformed(_) => ErrorKind::Corrupt,
            Self::Unsupported(_) | Self::WrongWidth { .. } | Self::Ragged { .. } => ErrorKind::Invalid,
        }
    }
}

/// Shorthand of the checks at load.
pub(crate) fn malformed(what: impl Into<String>) -> InferError {
    InferError::Malformed(what.into())
}
