//! Categories: the position of a string in the sorted vocabulary of the training window.

use std::collections::{BTreeSet, HashMap};

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;

use super::REQUEST;
use crate::FeatureError;
use crate::key::{cast_exactly, is_string, wrong_type};
use crate::number::column_of;

const WANTED: &str = "text, a whole number or a boolean";

/// The distinct strings of the column, sorted by their bytes.
pub(super) fn learn(column: &str, training: &[RecordBatch]) -> Result<Vec<String>, FeatureError> {
    let mut distinct = BTreeSet::new();
    for batch in training {
        let texts = texts("the training window", column, column_of("the training window", batch, column)?)?;
        for text in texts.iter().flatten() {
            // Most strings are already there: allocate only for new ones.
            if !distinct.contains(text) {
                distinct.insert(text.to_owned());
            }
        }
    }
    Ok(distinct.into_iter().collect())
}

#[expect(clippy::cast_precision_loss, reason = "no vocabulary has 2^53 words")]
pub(super) fn encode(vocabulary: &[String], column: &str, batch: &RecordBatch) -> Result<Float64Array, FeatureError> {
    let positions: HashMap<&str, f64> =
        vocabulary.iter().enumerate().map(|(i, text)| (text.as_str(), i as f64)).collect();
    let texts = texts(REQUEST, column, column_of(REQUEST, batch, column)?)?;
    Ok(texts.iter().map(|text| text.and_then(|text| positions.get(text).copied())).collect())
}

fn texts(of: &str, name: &str, column: &ArrayRef) -> Result<StringArray, FeatureError> {
    let found = column.data_type();
    if !(is_string(found) || found.is_integer() || matches!(found, DataType::Boolean | DataType::Null)) {
        return Err(wrong_type(of, name, column, WANTED));
    }
    Ok(cast_exactly(of, name, column, &DataType::Utf8, WANTED)?.as_string::<i32>().clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, Int64Array};

    use super::*;

    #[test]
    fn numbers_of_any_width_are_the_same_category() {
        let narrow: ArrayRef = Arc::new(Int32Array::from(vec![Some(10), Some(9), None]));
        let narrow = RecordBatch::try_from_iter([("c", narrow)]).unwrap();
        assert_eq!(learn("c", &[narrow]).unwrap(), ["10", "9"]);
        let wide: ArrayRef = Arc::new(Int64Array::from(vec![9, 8]));
        let wide = RecordBatch::try_from_iter([("c", wide)]).unwrap();
        let encoded = encode(&["10".to_owned(), "9".to_owned()], "c", &wide).unwrap();
        assert_eq!(encoded.iter().collect::<Vec<_>>(), [Some(1.0), None]);
    }
}
