//! Checks that look at one column of one row. Each answers with a mask of the rows that fail; null passes, except not-null.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use arrow::error::ArrowError;
use foldhash::fast::RandomState;
use regex::Regex;

use super::told::Limits;
use super::words::Words;

#[derive(Debug)]
pub(super) enum RowCheck {
    NotNull,
    Between(Limits),
    OneOf(Words),
    OneOfIntegers(HashSet<i64, RandomState>),
    Matches(Regex),
}

impl RowCheck {
    pub fn failing(&self, array: &ArrayRef) -> Result<BooleanBuffer, ArrowError> {
        match self {
            Self::NotNull => Ok(nulls(array)),
            Self::Between(limits) => outside(*limits, array),
            Self::OneOf(allowed) => Ok(strings_failing(array, |text| !allowed.have(text))),
            Self::OneOfIntegers(allowed) => integers_failing(array, |number| !allowed.contains(&number)),
            Self::Matches(regex) => Ok(strings_failing(array, |text| !regex.is_match(text))),
        }
    }
}

fn nulls(array: &ArrayRef) -> BooleanBuffer {
    array.nulls().map_or_else(|| BooleanBuffer::new_unset(array.len()), |nulls| !nulls.inner())
}

fn outside(limits: Limits, array: &ArrayRef) -> Result<BooleanBuffer, ArrowError> {
    if array.data_type() != &DataType::Float64 {
        let (low, high) = as_integers(limits);
        return integers_failing(array, |value| value < low || value > high);
    }
    let (low, high) = (limits.min.unwrap_or(f64::NEG_INFINITY), limits.max.unwrap_or(f64::INFINITY));
    let mask = BooleanArray::from_unary(array.as_primitive::<Float64Type>(), |value| !(low..=high).contains(&value));
    Ok(without_nulls(mask.values().clone(), mask.nulls()))
}

/// The same bounds for whole numbers, of which not every one is a float.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is what a bound wants")]
fn as_integers(limits: Limits) -> (i64, i64) {
    (limits.min.map_or(i64::MIN, |min| min.ceil() as i64), limits.max.map_or(i64::MAX, |max| max.floor() as i64))
}

fn integers_failing(array: &ArrayRef, fails: impl Fn(i64) -> bool) -> Result<BooleanBuffer, ArrowError> {
    let mask = match array.data_type() {
        DataType::Int32 => BooleanArray::from_unary(array.as_primitive::<Int32Type>(), |v| fails(i64::from(v))),
        DataType::Int64 => BooleanArray::from_unary(array.as_primitive::<Int64Type>(), fails),
        other => return Err(ArrowError::InvalidArgumentError(format!("{other} is no number"))),
    };
    Ok(without_nulls(mask.values().clone(), mask.nulls()))
}

fn strings_failing(array: &ArrayRef, fails: impl Fn(&str) -> bool) -> BooleanBuffer {
    let strings = array.as_string::<i32>();
    let mask = BooleanBuffer::collect_bool(strings.len(), |row| fails(strings.value(row)));
    without_nulls(mask, strings.nulls())
}

/// A null never fails.
pub(super) fn without_nulls(mask: BooleanBuffer, nulls: Option<&NullBuffer>) -> BooleanBuffer {
    match nulls {
        Some(nulls) => &mask & nulls.inner(),
        None => mask,
    }
}
