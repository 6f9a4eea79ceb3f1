//! Columns of numbers as `f64`, and the lookup of a column by name.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Float64Type};

use crate::FeatureError;
use crate::key::{cast_exactly, wrong_type};

pub(crate) fn column_of<'a>(of: &str, batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, FeatureError> {
    batch.column_by_name(name).ok_or_else(|| FeatureError::MissingColumn {
        of: of.to_owned(),
        column: name.to_owned(),
        found: batch.schema().fields().iter().map(|field| field.name().clone()).collect(),
    })
}

/// A column of numbers or booleans as `f64`; true is 1. Whole numbers beyond 2^53 lose their last digits.
pub(crate) fn number_column(of: &str, batch: &RecordBatch, name: &str) -> Result<Float64Array, FeatureError> {
    const WANTED: &str = "a number or a boolean";
    let column = column_of(of, batch, name)?;
    // A column of nothing but nulls has no type of its own.
    let readable = column.data_type().is_numeric() || matches!(column.data_type(), DataType::Boolean | DataType::Null);
    if !readable {
        return Err(wrong_type(of, name, column, WANTED));
    }
    let cast = cast_exactly(of, name, column, &DataType::Float64, WANTED)?;
    Ok(cast.as_primitive::<Float64Type>().clone())
}

/// The value of one row: NaN is missing, and there is one zero.
pub(crate) fn number_at(column: &Float64Array, row: usize) -> Option<f64> {
    column.is_valid(row).then(|| column.value(row)).and_then(tidy)
}

/// Every row's value, NaN for missing. Zeros may have a sign: [`tidied`] takes it away.
pub(crate) fn numbers_of(column: &Float64Array) -> ScalarBuffer<f64> {
    let Some(nulls) = column.nulls().filter(|nulls| nulls.null_count() > 0) else { return column.values().clone() };
    let numbers = column.values().iter().zip(nulls).map(|(value, present)| if present { *value } else { f64::NAN });
    numbers.collect()
}

/// The number with its one zero.
pub(crate) fn tidied(number: f64) -> f64 {
    number + 0.0
}

/// NaN is missing, and there is one zero: otherwise equal rows could differ in their bytes.
#[must_use]
pub fn tidy(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(tidied(value))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Int32Array, StringArray};

    use super::*;

    #[test]
    fn reads_numbers_and_booleans_and_names_what_it_cannot() {
        let columns: [(&str, ArrayRef); 4] = [
            ("flag", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ("int", Arc::new(Int32Array::from(vec![Some(-3), None]))),
            ("float", Arc::new(Float64Array::from(vec![-0.0, f64::NAN]))),
            ("text", Arc::new(StringArray::from(vec!["1", "2"]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let read = |name| -> Vec<_> {
            let column = number_column("t", &batch, name).unwrap();
            (0..2).map(|row| number_at(&column, row).map(f64::to_bits)).collect()
        };
        assert_eq!(read("flag"), [Some(1_f64.to_bits()), None]);
        assert_eq!(read("int"), [Some((-3_f64).to_bits()), None]);
        assert_eq!(read("float"), [Some(0_f64.to_bits()), None]);
        let error = number_column("t", &batch, "text").unwrap_err().to_string();
        assert_eq!(error, "column \"text\" of t is Utf8, which is not a number or a boolean");
        let error = number_column("t", &batch, "gone").unwrap_err().to_string();
        assert_eq!(error, "t has no column \"gone\"; it has flag, int, float, text");
    }
}
