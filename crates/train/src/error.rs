//! Why a fit cannot start or did not end.

use bedplate_types::{ErrorKind, Explained};

/// A training request that is refused, or a fit that failed.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error("there is nothing to train on: {rows} rows, {features} features")]
    Empty { rows: usize, features: usize },
    #[error("feature {feature:?} has {given} values for {expected} labels")]
    Ragged { feature: String, given: usize, expected: usize },
    #[error("{names} feature names were given for {features} features")]
    Names { names: usize, features: usize },
    #[error("label {value} in row {row} is neither 0 nor 1")]
    Label { row: usize, value: f64 },
    #[error("every label is {0}: there is nothing to tell apart")]
    OneClass(u8),
    #[error("the budget {0} is not within 0.05 and 5")]
    Budget(f32),
    #[error("training was cancelled after {trees} trees")]
    Cancelled { trees: usize },
    /// The trainer refused or failed; its own words.
    #[error("the trainer failed")]
    Trainer(#[source] hessboost::error::HessboostError),
    /// The fitted trees hold something ONNX cannot say; this would be a defect.
    #[error("the fitted trees cannot be written as ONNX: {0}")]
    Export(&'static str),
}

impl Explained for TrainError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Cancelled { .. } => ErrorKind::Refused,
            Self::Trainer(_) | Self::Export(_) => ErrorKind::Internal,
            _ => ErrorKind::Invalid,
        }
    }

    fn fix(&self) -> Option<String> {
        let fix = match self {
            Self::OneClass(_) => "widen the training window until both outcomes occur in it",
            Self::Budget(_) => "set budget to about 0.5 (quick) up to 1.5 (thorough)",
            _ => return None,
        };
        Some(fix.to_owned())
    }
}
