//! A feature view with what was served of it.

use bedplate_types::Timestamp;

use super::{ColumnProfile, State};

#[derive(Clone, Debug)]
pub struct FeatureView {
    pub namespace: String,
    pub name: String,
    pub description: String,
    pub owner: String,
    pub terms: Vec<String>,
    pub state: State,
    /// The first digits of the definition's digest; none before it was looked at.
    pub version: Option<String>,
    pub entity: String,
    /// How long a value may be used: `7d`; none, for ever.
    pub ttl: Option<String>,
    /// Those that it is made of.
    pub datasets: Vec<String>,
    pub online_rows: u64,
    /// When the newest row online, and that of the source, became known.
    pub newest_online: Option<Timestamp>,
    pub newest_source: Option<Timestamp>,
    /// Whether every value online is older than may be.
    pub expired: bool,
    pub parity: Option<Parity>,
    /// None: the asker may not read what it holds, or it is not ready.
    pub served: Option<Served>,
    pub features: Vec<FeatureFacts>,
    /// `FeatureService late`
    pub used_by: Vec<String>,
}

/// Whether the online store said what the source does.
#[derive(Clone, Debug)]
pub struct Parity {
    pub equal: bool,
    /// `online = offline for 1200 values of 400 entities`
    pub told: String,
    pub at: Timestamp,
}

/// What was served in the last day.
#[derive(Clone, Debug)]
pub struct Served {
    pub rows: u64,
    /// Rows that the figures are of.
    pub looked_at: u64,
}

#[derive(Clone, Debug)]
pub struct FeatureFacts {
    pub name: String,
    /// `mean of dep_delay over 1h`
    pub made_of: String,
    pub description: String,
    pub terms: Vec<String>,
    /// Of what was served; none where nothing was, or it may not be seen.
    pub served: Option<ColumnProfile>,
}
