//! A review as the table's own log keeps it: who, what, why, and how to do it again.

use bedplate_types::Timestamp;
use serde::{Deserialize, Serialize};

use super::Choice;

/// One review; it made the version in whose commit it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    pub action: ReviewAction,
    pub by: String,
    pub why: String,
    pub at: Timestamp,
    pub choice: Choice,
    /// How many rows that were.
    pub rows: u64,
    /// The version of the quarantine they were chosen from. While it is the latest, they are still in it.
    pub quarantine: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReviewAction {
    /// The rows go into the table.
    Release,
    /// The rows go.
    Discard,
}

impl ReviewAction {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Discard => "discard",
        }
    }
}
