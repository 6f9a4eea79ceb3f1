//! A data frame in JSON, column by column, as an Arrow record batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use serde_json::{Map, Value};

use crate::StoreError;

/// Numbers that JSON has none for, as Feast writes them.
const SPECIAL: [(&str, f64); 3] = [("NaN", f64::NAN), ("Infinity", f64::INFINITY), ("-Infinity", f64::NEG_INFINITY)];

/// Columns of equal length, with at least one row.
pub(crate) fn frame(columns: &Map<String, Value>) -> Result<RecordBatch, StoreError> {
    let mut arrays = Vec::with_capacity(columns.len());
    for (name, values) in columns {
        let wrong = |why: String| StoreError::Column { column: name.clone(), why };
        let values = values.as_array().ok_or_else(|| wrong("is not an array of values".into()))?;
        let first = columns.values().next().and_then(Value::as_array).map_or(0, Vec::len);
        if values.len() != first {
            return Err(wrong(format!("has {} rows, but the first column has {first}", values.len())));
        }
        if values.is_empty() {
            return Err(wrong("has no rows".into()));
        }
        arrays.push((name, array(values).map_err(wrong)?));
    }
    let nullable = arrays.into_iter().map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(nullable)
        .map_err(|error| StoreError::Column { column: "df".into(), why: format!("makes no frame: {error}") })
}

/// What a column's values have in common.
#[derive(Clone, Copy, PartialEq)]
enum Common {
    Nothing,
    Bools,
    Ints,
    Floats,
    /// Only the names of special numbers so far: numbers if one comes, else text.
    Special,
    Texts,
}

fn array(values: &[Value]) -> Result<ArrayRef, String> {
    let common = values.iter().try_fold(Common::Nothing, with)?;
    Ok(match common {
        Common::Bools => Arc::new(values.iter().map(Value::as_bool).collect::<BooleanArray>()),
        Common::Ints => Arc::new(values.iter().map(Value::as_i64).collect::<Int64Array>()),
        Common::Floats | Common::Nothing => Arc::new(values.iter().map(float).collect::<Float64Array>()),
        Common::Texts | Common::Special => Arc::new(values.iter().map(Value::as_str).collect::<StringArray>()),
    })
}

fn with(common: Common, value: &Value) -> Result<Common, String> {
    use Common::{Bools, Floats, Ints, Nothing, Special, Texts};
    let next = match value {
        Value::Null => return Ok(common),
        Value::Bool(_) => Bools,
        Value::Number(number) if number.is_i64() => Ints,
        Value::Number(number) if number.is_u64() => {
            return Err(format!("holds {number}, which 64 bits with a sign cannot"));
        }
        Value::Number(_) => Floats,
        Value::String(text) if special(text).is_some() => Special,
        Value::String(_) => Texts,
        Value::Array(_) | Value::Object(_) => return Err("holds arrays or objects".into()),
    };
    match (common, next) {
        (Nothing, next) => Ok(next),
        (common, next) if common == next => Ok(common),
        (Ints | Floats | Special, Ints | Floats | Special) => Ok(Floats),
        (Texts | Special, Texts | Special) => Ok(Texts),
        _ => Err("mixes values of different types".into()),
    }
}

fn special(text: &str) -> Option<f64> {
    SPECIAL.iter().find(|(name, _)| *name == text).map(|(_, value)| *value)
}

fn float(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| special(value.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Array;
    use arrow::datatypes::DataType;
    use serde_json::json;

    fn check(values: Value) -> Result<ArrayRef, String> {
        array(values.as_array().unwrap())
    }

    #[test]
    fn columns_get_the_type_of_their_values() {
        let cases = [
            (json!([1, null]), DataType::Int64),
            (json!([1, 2.5]), DataType::Float64),
            (json!([null, null]), DataType::Float64),
            (json!([1, "NaN"]), DataType::Float64),
            (json!(["NaN", null, "-Infinity", 0.5]), DataType::Float64),
            (json!([true, null]), DataType::Boolean),
            (json!(["a", "NaN"]), DataType::Utf8),
            (json!(["NaN"]), DataType::Utf8),
            (json!(["2013-07-01T04:00:00Z", null]), DataType::Utf8),
        ];
        for (values, datatype) in cases {
            let nulls = values.as_array().unwrap().iter().filter(|value| value.is_null()).count();
            let array = check(values.clone()).unwrap();
            assert_eq!((array.data_type(), array.null_count()), (&datatype, nulls), "{values}");
        }
    }

    #[test]
    fn numbers_keep_their_values() {
        let array = check(json!([1, 2.5, "Infinity", null])).unwrap();
        let floats = array.as_any().downcast_ref::<Float64Array>().unwrap();
        assert_eq!(floats.iter().collect::<Vec<_>>(), [Some(1.0), Some(2.5), Some(f64::INFINITY), None]);
    }

    #[test]
    fn what_makes_no_column_is_told() {
        for (values, part) in [
            (json!([1, "a"]), "mixes"),
            (json!([true, 1]), "mixes"),
            (json!([[1]]), "arrays"),
            (json!([u64::MAX]), "18446744073709551615"),
        ] {
            assert!(check(values.clone()).unwrap_err().contains(part), "{values}");
        }
        let frame_of = |df: Value| frame(df.as_object().unwrap());
        for (df, part) in [
            (json!({ "a": [1, 2], "b": [1] }), "\"b\" has 1 rows, but the first column has 2"),
            (json!({ "a": 1 }), "\"a\" is not an array"),
            (json!({ "a": [] }), "\"a\" has no rows"),
            (json!({}), "makes no frame"),
        ] {
            assert!(
                frame_of(df.clone()).unwrap_err().to_string().contains(part),
                "{df}: {}",
                frame_of(df.clone()).unwrap_err()
            );
        }
    }
}
