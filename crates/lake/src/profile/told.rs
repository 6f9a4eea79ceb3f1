//! What a profile tells, as it is kept and sent.

use bedplate_kinds::ColumnType;
use serde::{Deserialize, Serialize};

/// A whole table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableProfile {
    pub rows: u64,
    /// In the order they are declared.
    pub columns: Vec<ColumnProfile>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnProfile {
    pub name: String,
    #[serde(rename = "type")]
    pub type_: ColumnType,
    pub nulls: u64,
    /// Different values.
    pub distinct: u64,
    /// Whether they are estimated, to 0.8% (one standard error).
    #[serde(default)]
    pub distinct_estimated: bool,
    /// What tells of the values themselves; left out for who may not read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Values>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Values {
    /// Of a timestamp, microseconds since 1970.
    Numbers(Numbers),
    Texts(Texts),
    /// How often it is true.
    Booleans(u64),
}

/// Of numbers that are neither missing nor NaN nor infinite, unless it says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Numbers {
    /// None without a value.
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub mean: Option<f64>,
    /// Of a sample; none below two values.
    pub std: Option<f64>,
    pub quantiles: Vec<QuantileTold>,
    pub histogram: Option<Histogram>,
    /// Values that are NaN.
    pub nan: u64,
    /// Values that are infinite.
    pub infinite: u64,
}

/// So large a part of the values is at most `value`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantileTold {
    pub at: f64,
    pub value: f64,
}

/// Bin `i` counts the values from `start + i * width` up to, and without, `start + (i + 1) * width`. A width of 0: all
/// values are `start`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    pub start: f64,
    pub width: f64,
    /// At most 40.
    pub counts: Vec<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Texts {
    /// The commonest, at most ten. Texts of more than 128 bytes are not among them.
    pub top: Vec<TopValue>,
    /// Every count of `top` may be short by so many; 0: they are exact.
    pub short_by: u64,
    /// Texts without a character.
    pub empty: u64,
    /// Characters of the shortest and of the longest; none without a text.
    pub shortest: Option<u64>,
    pub longest: Option<u64>,
    pub mean_length: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopValue {
    pub value: String,
    pub count: u64,
}
