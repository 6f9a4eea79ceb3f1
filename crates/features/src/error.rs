//! What can be wrong with a view, a batch of rows or a request.

use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use bedplate_types::{ErrorKind, Explained};

#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    #[error("feature view {view:?}: {why}")]
    InvalidView { view: String, why: String },
    #[error("{of} has no column {column:?}; it has {}", .found.join(", "))]
    MissingColumn { of: String, column: String, found: Vec<String> },
    #[error("column {column:?} of {of} is {found}, which is not {wanted}")]
    WrongType { of: String, column: String, found: DataType, wanted: &'static str },
    #[error("column {column:?} of {of} cannot be read as {wanted}")]
    Unreadable { of: String, column: String, wanted: &'static str, source: ArrowError },
    #[error("row {row} of column {column:?} of {of}: {found} is not an instant; write it as 2013-07-01T04:00:00Z")]
    InvalidTime { of: String, column: String, row: usize, found: String },
    #[error("{of} are {rows}, more than can be joined at once")]
    TooManyRows { of: String, rows: usize },
    #[error("the entity has {wanted} join keys, but {found} values were given")]
    KeyCount { wanted: usize, found: usize },
    #[error("join key {key:?} must be {wanted}")]
    KeyType { key: String, wanted: &'static str },
    #[error("request feature {feature:?} names the unknown time zone {zone:?}")]
    UnknownTimeZone { feature: String, zone: String },
    #[error("request feature {feature:?} has no vocabulary: it was not there when the encoder was fitted")]
    NoVocabulary { feature: String },
}

impl Explained for FeatureError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::InvalidView { view, .. } => {
                Some(format!("bedplate get featureview {view} -o yaml, and correct its spec"))
            }
            Self::MissingColumn { of, column, .. } => Some(format!("add {column:?} to {of}, or correct the name")),
            Self::WrongType { column, wanted, .. } => Some(format!("cast {column:?} to {wanted}")),
            Self::TooManyRows { .. } => Some("join fewer rows at a time, for example a year".to_owned()),
            Self::UnknownTimeZone { .. } => Some("use an IANA name, for example America/New_York".to_owned()),
            Self::NoVocabulary { .. } => Some("train the model again with this feature service".to_owned()),
            _ => None,
        }
    }
}
