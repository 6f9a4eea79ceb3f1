//! Checks that look at one row at a time. Each answers with a mask of the rows that fail; null passes, except not-null.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::is_null;
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use arrow::error::ArrowError;
use regex::Regex;

#[derive(Debug)]
pub(super) enum RowCheck {
    NotNull,
    Between(Bounds),
    OneOf(HashSet<String>),
    Matches(Regex),
}

/// Inclusive bounds; NaN lies in none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub min: Option<f64>,
    pub max: Option<f64>,
}

impl RowCheck {
    pub fn failing(&self, array: &ArrayRef) -> Result<BooleanBuffer, ArrowError> {
        Ok(match self {
            Self::NotNull => is_null(array)?.values().clone(),
            Self::Between(bounds) => bounds.failing(array)?,
            Self::OneOf(allowed) => strings_failing(array, |text| !allowed.contains(text)),
            Self::Matches(regex) => strings_failing(array, |text| !regex.is_match(text)),
        })
    }
}

impl Bounds {
    fn failing(self, array: &ArrayRef) -> Result<BooleanBuffer, ArrowError> {
        let outside = |value: f64| !self.has(value);
        let (low, high) = self.as_integers();
        let mask = match array.data_type() {
            DataType::Int32 => BooleanArray::from_unary(array.as_primitive::<Int32Type>(), |v| outside(f64::from(v))),
            DataType::Int64 => BooleanArray::from_unary(array.as_primitive::<Int64Type>(), |v| v < low || v > high),
            DataType::Float64 => BooleanArray::from_unary(array.as_primitive::<Float64Type>(), outside),
            other => return Err(ArrowError::InvalidArgumentError(format!("between is for numbers, not for {other}"))),
        };
        Ok(without_nulls(&mask))
    }

    fn has(self, value: f64) -> bool {
        !value.is_nan() && self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }

    /// The same bounds for 64-bit integers, of which not every one is a float.
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is what a bound wants")]
    fn as_integers(self) -> (i64, i64) {
        (self.min.map_or(i64::MIN, |min| min.ceil() as i64), self.max.map_or(i64::MAX, |max| max.floor() as i64))
    }
}

fn strings_failing(array: &ArrayRef, fails: impl Fn(&str) -> bool) -> BooleanBuffer {
    array.as_string::<i32>().iter().map(|text| text.is_some_and(&fails)).collect()
}

/// A null never fails.
fn without_nulls(mask: &BooleanArray) -> BooleanBuffer {
    match mask.nulls() {
        Some(nulls) => mask.values() & nulls.inner(),
        None => mask.values().clone(),
    }
}
