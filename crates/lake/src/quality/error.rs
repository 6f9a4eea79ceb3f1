//! Why a suite does not fit a dataset.

use bedplate_types::{ErrorKind, Explained};

#[derive(Debug, thiserror::Error)]
pub enum QualityError {
    #[error("expectation {expectation:?} is on column {column:?}, which the dataset does not have; it has {has}")]
    MissingColumn { expectation: String, column: String, has: String },
    #[error("expectation {expectation:?} ({check}) needs column {column:?} to be {needs}, and it is {is}")]
    WrongType { expectation: String, check: &'static str, column: String, needs: &'static str, is: &'static str },
    #[error("expectation {expectation:?} on column {column:?}: {regex:?} is not a regular expression")]
    BadRegex { expectation: String, column: String, regex: String, source: Box<regex::Error> },
    #[error(
        "expectation {expectation:?} on column {column:?} needs the values of {dataset}.{field}, which are not there"
    )]
    NoReference { expectation: String, column: String, dataset: String, field: String },
    #[error("expectation {expectation:?}: {message}")]
    Unsound { expectation: String, message: String },
    #[error("expectation {expectation:?} needs a reference that was not looked up: {what}")]
    NotLookedUp { expectation: String, what: String },
    #[error("the results of two different suites cannot be put together")]
    NotAlike,
    #[error("cannot check a batch of rows")]
    Batch(#[from] arrow::error::ArrowError),
}

impl Explained for QualityError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoReference { .. } => ErrorKind::NotReady,
            Self::Batch(_) | Self::NotLookedUp { .. } | Self::NotAlike => ErrorKind::Internal,
            _ => ErrorKind::Invalid,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::MissingColumn { expectation, .. } => {
                Some(format!("name another column in {expectation:?}, or add it to the Dataset's spec.schema"))
            }
            Self::WrongType { expectation, column, .. } => {
                Some(format!("use another check in {expectation:?}, or change the type of {column:?} in spec.schema"))
            }
            Self::BadRegex { expectation, .. } => Some(format!("correct check.matches.regex of {expectation:?}")),
            Self::NoReference { dataset, field, .. } => {
                Some(format!("apply the Dataset {dataset} with a column {field} first: bedplate get dataset {dataset}"))
            }
            Self::Unsound { expectation, .. } => Some(format!("correct the expectation {expectation:?} and apply it")),
            Self::Batch(_) | Self::NotLookedUp { .. } | Self::NotAlike => None,
        }
    }
}
