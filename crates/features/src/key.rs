//! Entity keys: typed, length-prefixed bytes, so that no key is the beginning of another.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Int64Type};
use bedplate_kinds::{ColumnType, JoinKey};

use crate::FeatureError;
use crate::number::column_of;

/// What most keys take.
const KEY_BYTES: usize = 16;

/// One entity's key, encoded unambiguously for use as an LSM key prefix.
///
/// Each join key in order: `s`, the length as four big-endian bytes, the UTF-8 text; or `i` and eight big-endian bytes.
/// `int32` and `int64` keys are encoded alike, so that a source and a request may differ in width.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityKey(Vec<u8>);

/// One part of a key, as a request brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyValue<'a> {
    Null,
    Int(i64),
    Text(&'a str),
}

impl<'a> KeyValue<'a> {
    /// A JSON scalar as part of a key; `None` when it is neither null, text nor a whole number.
    #[must_use]
    pub fn from_json(value: &'a serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::Null => Some(Self::Null),
            serde_json::Value::String(text) => Some(Self::Text(text)),
            serde_json::Value::Number(number) => number.as_i64().map(Self::Int),
            _ => None,
        }
    }
}

impl EntityKey {
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key whose bytes these are, as [`EntityKey::as_bytes`] gave them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// What the key is made of, in the order of the entity's join keys; `None` of bytes that are no key.
    #[must_use]
    pub fn parts(&self) -> Option<Vec<KeyValue<'_>>> {
        let (mut rest, mut parts) = (self.0.as_slice(), Vec::new());
        while let Some((letter, tail)) = rest.split_first() {
            let (part, after) = match letter {
                b'i' => {
                    tail.split_first_chunk().map(|(number, after)| (KeyValue::Int(i64::from_be_bytes(*number)), after))
                }
                b's' => text_of(tail),
                _ => None,
            }?;
            parts.push(part);
            rest = after;
        }
        Some(parts)
    }

    /// The key of one row of `batch`, whose columns have the join keys' names; `None` when any part is null.
    ///
    /// Casts the key columns each time: for many rows use [`crate::rows`] or [`crate::point_in_time`].
    ///
    /// # Errors
    /// When a key column is missing or has another type.
    pub fn from_batch(keys: &[JoinKey], batch: &RecordBatch, row: usize) -> Result<Option<Self>, FeatureError> {
        let one = batch.slice(row, 1);
        Ok(KeyColumns::new("the batch", keys, &one)?.key(0))
    }

    /// The key made of `values`, in the order of the entity's join keys; `None` when any part is null.
    ///
    /// # Errors
    /// When there are more or fewer values than keys, or one is of the other type.
    pub fn from_values(keys: &[JoinKey], values: &[KeyValue<'_>]) -> Result<Option<Self>, FeatureError> {
        if keys.len() != values.len() {
            return Err(FeatureError::KeyCount { wanted: keys.len(), found: values.len() });
        }
        let mut bytes = Some(Vec::with_capacity(KEY_BYTES));
        for (key, value) in keys.iter().zip(values) {
            match (value, is_text(key)) {
                (KeyValue::Null, _) => bytes = None,
                (KeyValue::Int(number), false) => bytes.iter_mut().for_each(|bytes| push_int(bytes, *number)),
                (KeyValue::Text(text), true) => bytes.iter_mut().for_each(|bytes| push_text(bytes, text)),
                (_, text) => return Err(FeatureError::KeyType { key: key.name.clone(), wanted: wanted(text) }),
            }
        }
        Ok(bytes.map(Self))
    }
}

/// The text at the beginning of `bytes`, behind its letter, and what follows it.
fn text_of(bytes: &[u8]) -> Option<(KeyValue<'_>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, after) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some((KeyValue::Text(std::str::from_utf8(text).ok()?), after))
}

/// The key columns of a batch, cast once.
pub(crate) struct KeyColumns(Vec<KeyColumn>);

enum KeyColumn {
    Text(StringArray),
    Int(Int64Array),
}

impl KeyColumns {
    pub(crate) fn new(of: &str, keys: &[JoinKey], batch: &RecordBatch) -> Result<Self, FeatureError> {
        keys.iter().map(|key| KeyColumn::new(of, key, batch)).collect::<Result<_, _>>().map(Self)
    }

    /// The key of one row; `None` when any part is null.
    pub(crate) fn key(&self, row: usize) -> Option<EntityKey> {
        let mut bytes = Vec::with_capacity(KEY_BYTES);
        self.write(row, &mut bytes).then_some(EntityKey(bytes))
    }

    /// Puts the bytes of one row's key in place of what `bytes` holds; false when any part is null.
    pub(crate) fn write(&self, row: usize, bytes: &mut Vec<u8>) -> bool {
        bytes.clear();
        for column in &self.0 {
            match column {
                KeyColumn::Text(column) if column.is_valid(row) => push_text(bytes, column.value(row)),
                KeyColumn::Int(column) if column.is_valid(row) => push_int(bytes, column.value(row)),
                _ => return false,
            }
        }
        true
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.0.iter().any(|column| match column {
            KeyColumn::Text(column) => column.is_null(row),
            KeyColumn::Int(column) => column.is_null(row),
        })
    }

    pub(crate) fn has_no_nulls(&self) -> bool {
        self.0.iter().all(|column| match column {
            KeyColumn::Text(column) => column.null_count() == 0,
            KeyColumn::Int(column) => column.null_count() == 0,
        })
    }

    /// The column of an entity whose whole key is one whole number.
    pub(crate) fn single_int(&self) -> Option<&Int64Array> {
        match self.0.as_slice() {
            [KeyColumn::Int(column)] => Some(column),
            _ => None,
        }
    }

    /// One row's key where it is one whole number; `None` when it is null.
    pub(crate) fn int(&self, row: usize) -> Option<i64> {
        self.single_int().filter(|column| column.is_valid(row)).map(|column| column.value(row))
    }
}

impl KeyColumn {
    fn new(of: &str, key: &JoinKey, batch: &RecordBatch) -> Result<Self, FeatureError> {
        let column = column_of(of, batch, &key.name)?;
        if is_text(key) {
            return Ok(Self::Text(text_column(of, &key.name, column)?));
        }
        if !column.data_type().is_integer() {
            return Err(wrong_type(of, &key.name, column, wanted(false)));
        }
        let cast = cast_exactly(of, &key.name, column, &DataType::Int64, wanted(false))?;
        Ok(Self::Int(cast.as_primitive::<Int64Type>().clone()))
    }
}

/// A column of any string type as plain UTF-8.
pub(crate) fn text_column(of: &str, name: &str, column: &ArrayRef) -> Result<StringArray, FeatureError> {
    if !is_string(column.data_type()) {
        return Err(wrong_type(of, name, column, wanted(true)));
    }
    Ok(cast_exactly(of, name, column, &DataType::Utf8, wanted(true))?.as_string::<i32>().clone())
}

/// Casts, or fails where a value does not fit: never a silent null.
pub(crate) fn cast_exactly(
    of: &str,
    name: &str,
    column: &ArrayRef,
    to: &DataType,
    wanted: &'static str,
) -> Result<ArrayRef, FeatureError> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(column, to, &strict).map_err(|source| FeatureError::Unreadable {
        of: of.to_owned(),
        column: name.to_owned(),
        wanted,
        source,
    })
}

pub(crate) fn is_string(found: &DataType) -> bool {
    match found {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_string(values),
        _ => false,
    }
}

pub(crate) fn wrong_type(of: &str, name: &str, column: &ArrayRef, wanted: &'static str) -> FeatureError {
    let found = column.data_type().clone();
    FeatureError::WrongType { of: of.to_owned(), column: name.to_owned(), found, wanted }
}

fn is_text(key: &JoinKey) -> bool {
    key.type_ == ColumnType::String
}

const fn wanted(text: bool) -> &'static str {
    if text { "a string" } else { "a whole number" }
}

pub(crate) fn push_text(bytes: &mut Vec<u8>, text: &str) {
    // Arrow's own strings are bounded by i32; longer text from elsewhere is refused by the store's key limit.
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    bytes.push(b's');
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

pub(crate) fn push_int(bytes: &mut Vec<u8>, number: i64) {
    bytes.push(b'i');
    bytes.extend_from_slice(&number.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, LargeStringArray, StringViewArray};

    use super::*;

    fn keys(types: &[ColumnType]) -> Vec<JoinKey> {
        let name = |i| format!("k{i}");
        types.iter().enumerate().map(|(i, type_)| JoinKey { name: name(i), type_: *type_ }).collect()
    }

    fn text(values: &[&str]) -> EntityKey {
        let values: Vec<_> = values.iter().map(|text| KeyValue::Text(text)).collect();
        EntityKey::from_values(&keys(&vec![ColumnType::String; values.len()]), &values).unwrap().unwrap()
    }

    #[test]
    fn parts_cannot_run_into_each_other() {
        assert_ne!(text(&["ab", "c"]), text(&["a", "bc"]));
        assert_ne!(text(&["", "a"]), text(&["a", ""]));
        assert!(!text(&["ab"]).as_bytes().starts_with(text(&["a"]).as_bytes()));
    }

    #[test]
    fn every_width_and_string_type_makes_the_same_key() {
        let keys = keys(&[ColumnType::String, ColumnType::Int64]);
        let wanted = EntityKey::from_values(&keys, &[KeyValue::Text("é"), KeyValue::Int(-7)]).unwrap();
        let texts: [ArrayRef; 3] = [
            Arc::new(StringArray::from(vec!["é"])),
            Arc::new(LargeStringArray::from(vec!["é"])),
            Arc::new(StringViewArray::from(vec!["é"])),
        ];
        for texts in texts {
            for number in [Arc::new(Int32Array::from(vec![-7])) as ArrayRef, Arc::new(Int64Array::from(vec![-7]))] {
                let batch = RecordBatch::try_from_iter([("k0", texts.clone()), ("k1", number)]).unwrap();
                assert_eq!(EntityKey::from_batch(&keys, &batch, 0).unwrap(), wanted);
            }
        }
    }

    #[test]
    fn a_keys_bytes_say_what_it_is_made_of() {
        let keys = keys(&[ColumnType::String, ColumnType::Int64, ColumnType::String]);
        let parts = [KeyValue::Text("é"), KeyValue::Int(i64::MIN), KeyValue::Text("")];
        let key = EntityKey::from_values(&keys, &parts).unwrap().unwrap();
        assert_eq!(EntityKey::from_bytes(key.as_bytes()).parts().unwrap(), parts);
        for cut in 1..key.as_bytes().len() {
            let cut = EntityKey::from_bytes(&key.as_bytes()[..cut]).parts().is_none_or(|found| found.len() < 3);
            assert!(cut);
        }
        assert_eq!(EntityKey::from_bytes(b"x").parts(), None);
    }

    #[test]
    fn null_parts_have_no_key_and_wrong_ones_are_named() {
        let keys = keys(&[ColumnType::String, ColumnType::Int32]);
        assert_eq!(EntityKey::from_values(&keys, &[KeyValue::Null, KeyValue::Int(1)]).unwrap(), None);
        let error = EntityKey::from_values(&keys, &[KeyValue::Int(1), KeyValue::Int(1)]).unwrap_err();
        assert_eq!(error.to_string(), "join key \"k0\" must be a string");
        let error = EntityKey::from_values(&keys, &[KeyValue::Null]).unwrap_err();
        assert_eq!(error.to_string(), "the entity has 2 join keys, but 1 values were given");
    }
}
