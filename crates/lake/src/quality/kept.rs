//! What a rule saw of the rows of one data file, in a form that outlives the process.
//!
//! A float is kept as its bits: as text it need not come back as it was.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::increasing::Value;

/// What is kept of a file: by the rule's key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept(pub(super) BTreeMap<String, KeptRule>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptRule {
    pub rows: u64,
    pub failing: u64,
    pub seen: Seen,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Seen {
    /// Rows that failed, and no more.
    Rows,
    Greatest(Option<Number>),
    Mean(SeenMean),
    Quantile(SeenDigest),
    Distinct(SeenDistinct),
    Freshness(SeenTimes),
    Drift(Vec<u64>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Number {
    Integer(i64),
    Float(Bits),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeenMean {
    pub sum: Bits,
    pub count: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeenDigest {
    pub sum: Bits,
    pub count: Bits,
    pub least: Bits,
    pub greatest: Bits,
    /// Mean and weight.
    pub centroids: Vec<(Bits, Bits)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeenDistinct {
    pub values: u64,
    pub seen: SeenValues,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum SeenValues {
    /// Hashes.
    Counted(Vec<u64>),
    /// Registers.
    Estimated(Vec<u8>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeenTimes {
    pub newest: Option<i64>,
    pub values: u64,
}

/// A float.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bits(u64);

impl From<f64> for Bits {
    fn from(value: f64) -> Self {
        Self(value.to_bits())
    }
}

impl From<Bits> for f64 {
    fn from(bits: Bits) -> Self {
        Self::from_bits(bits.0)
    }
}

impl From<Value> for Number {
    fn from(value: Value) -> Self {
        match value {
            Value::Integer(value) => Self::Integer(value),
            Value::Float(value) => Self::Float(value.into()),
        }
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        match number {
            Number::Integer(value) => Self::Integer(value),
            Number::Float(value) => Self::Float(value.into()),
        }
    }
}
