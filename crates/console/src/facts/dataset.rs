//! A dataset with what its columns hold.

use bedplate_types::Timestamp;

use super::State;

#[derive(Clone, Debug)]
pub struct Dataset {
    pub namespace: String,
    pub name: String,
    pub description: String,
    pub owner: String,
    pub classification: String,
    pub tags: Vec<String>,
    pub terms: Vec<String>,
    pub state: State,
    pub rows: u64,
    pub quarantined: u64,
    /// Of its table; none before the first ingest.
    pub version: Option<i64>,
    /// The version that the columns tell of, and when they were looked at.
    pub profiled: Option<(i64, Timestamp)>,
    pub columns: Vec<ColumnFacts>,
    /// Newest first.
    pub ingests: Vec<IngestRow>,
    /// `FeatureView wind`
    pub used_by: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct ColumnFacts {
    pub name: String,
    pub type_: String,
    pub description: String,
    /// How it is shown to whoever may not see it as it is.
    pub mask: Option<String>,
    pub classification: Option<String>,
    pub tags: Vec<String>,
    pub terms: Vec<String>,
    /// What it may hold of persons, as far as rules can tell: `email, 98 % of 1,000 values`.
    pub suggestions: Vec<String>,
    /// None while nothing was gathered.
    pub profile: Option<ColumnProfile>,
}

#[derive(Clone, Debug)]
pub struct ColumnProfile {
    /// The part of the rows without a value, 0 to 1.
    pub missing: f64,
    pub distinct: u64,
    pub distinct_estimated: bool,
    pub shape: Shape,
}

/// How the values lie.
#[derive(Clone, Debug)]
pub enum Shape {
    /// The asker may not read them.
    Hidden,
    /// There is no value.
    Nothing,
    Numbers(Spread),
    /// The commonest with their counts.
    Texts(Vec<(String, u64)>),
    /// How often it is true, and how often false.
    Booleans(u64, u64),
}

/// Figures are ready to be read.
#[derive(Clone, Debug)]
pub struct Spread {
    pub least: String,
    pub median: String,
    pub mean: String,
    pub greatest: String,
    /// Of bins of one width.
    pub counts: Vec<u64>,
}

#[derive(Clone, Debug)]
pub struct IngestRow {
    pub at: Timestamp,
    /// None: it was refused.
    pub version: Option<i64>,
    pub rows: u64,
    pub quarantined: u64,
    pub expectations: usize,
    /// Those that were not met: `possible: 2 of 5 rows`.
    pub unmet: Vec<String>,
}
