//! What a look came to.

use std::collections::BTreeMap;

use bedplate_types::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// One look at a view.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// Entities that were looked at.
    pub entities: u64,
    /// Values that were compared: a feature of an entity at a moment each.
    pub values: u64,
    pub equal: u64,
    /// Values that differ from those of the source by rows that were pushed, or that are still to be.
    pub expected: u64,
    pub different: u64,
    /// Entities of the source that should have rows online and have none.
    pub missing_entities: u64,
    /// Entities that have rows online and none in what the source was to bring.
    pub pushed_entities: u64,
    /// Entities of the sample that have too many rows to be looked at, or were pushed to all the time.
    pub left_out: u64,
    pub online_rows: u64,
    /// When the newest row online became known, of any entity; `None` in a view without times.
    pub newest_online: Option<Timestamp>,
    /// The same of the whole source.
    pub newest_source: Option<Timestamp>,
    /// The worst of the values that differ.
    pub examples: Vec<Example>,
}

/// A value that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Example {
    /// By join key.
    pub entity: BTreeMap<String, Value>,
    pub feature: String,
    pub at: Timestamp,
    #[serde(serialize_with = "number")]
    pub online: Option<f64>,
    /// What it should be.
    #[serde(serialize_with = "number")]
    pub offline: Option<f64>,
    /// When the newest of the rows known by then became known; `None` in a view without times, and without rows.
    pub online_known: Option<Timestamp>,
    pub offline_known: Option<Timestamp>,
    pub cause: Cause,
}

/// What the difference comes from, as far as the newest rows tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// There is no row online.
    Missing,
    /// Rows of the source that are newer than the newest online are not there.
    Behind,
    /// There is a row online that the source does not have: pushed late, or gone from the source.
    NotInSource,
    /// The newest rows are of one moment: one of them, or one behind them in a window, is another.
    OtherRows,
}

impl Cause {
    #[must_use]
    pub fn of(online: Option<i64>, source: Option<i64>) -> Self {
        match (online, source) {
            (None, _) => Self::Missing,
            (Some(online), source) if source.is_none_or(|source| source < online) => Self::NotInSource,
            (Some(online), Some(source)) if online < source => Self::Behind,
            _ => Self::OtherRows,
        }
    }
}

/// JSON knows no infinity: it is written as text.
fn number<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(number) if !number.is_finite() => {
            serializer.serialize_str(if *number > 0.0 { "Infinity" } else { "-Infinity" })
        }
        other => other.serialize(serializer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_rows_tell_what_it_comes_from() {
        let of = |online, source| Cause::of(online, source);
        assert_eq!(of(None, Some(3)), Cause::Missing);
        assert_eq!(of(Some(2), Some(3)), Cause::Behind);
        assert_eq!((of(Some(4), Some(3)), of(Some(4), None)), (Cause::NotInSource, Cause::NotInSource));
        assert_eq!(of(Some(3), Some(3)), Cause::OtherRows);
    }
}
