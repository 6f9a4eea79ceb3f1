//! What is looked at, and how much of it.

use bedplate_features::Brought;
use bedplate_offline::View;
use bedplate_types::Timestamp;

/// A view whose rows are in the online store.
#[derive(Clone, Debug)]
pub struct Subject {
    /// With the tables whose rows are the truth. Its `selected` features are all of them.
    pub view: View,
    /// Where the online store has its rows.
    pub online_id: String,
    /// The rows of the source that are said to be there.
    pub brought: Brought,
}

/// How it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct How {
    /// The most entities.
    pub entities: usize,
    /// Decides which, and which of their moments.
    pub seed: u64,
    /// The one moment to ask about; when left out, a moment at which some row of the entity became known in the source, one of
    /// its rows online, and the newest of all.
    pub at: Option<Timestamp>,
    /// What a view without times is asked about.
    pub now: Timestamp,
}

/// Rows of the source that the moments of a view with windows may see, and rows that were pushed: entities beyond are left out.
pub(crate) const MOST_ROWS: u64 = 1_000_000;
/// Examples of values that differ.
pub(crate) const EXAMPLES: usize = 10;
