//! What a suite refers to outside the rows it is shown. Whoever runs the program looks it up beforehand.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::error::ArrowError;
use bedplate_types::Timestamp;

use super::Profile;

/// Everything a suite may need besides the rows; what it does not need may be left out.
#[derive(Clone, Debug, Default)]
pub struct References {
    /// The values that `references` checks look in: by dataset and column, as text.
    pub values: HashMap<(String, String), HashSet<String>>,
    /// What `satisfies` checks ask of a row: by their SQL.
    pub conditions: HashMap<String, Arc<dyn RowCondition>>,
    /// What `drift` checks compare with: by the expectation's name.
    pub profiles: HashMap<String, Arc<Profile>>,
    /// What earlier ingests observed, the oldest first: by the expectation's name.
    pub history: HashMap<String, Vec<f64>>,
    /// When the rows are judged, for `freshness`.
    pub now: Timestamp,
}

/// A condition on each row, in the engine's hands.
pub trait RowCondition: Debug + Send + Sync {
    /// True for the rows that meet it; null passes. The batch has the declared columns.
    fn met(&self, batch: &RecordBatch) -> Result<BooleanArray, ArrowError>;
}
