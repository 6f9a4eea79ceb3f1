//! Uniqueness over one or more columns: every key seen is kept. Whole numbers and times are kept as they are; other keys as
//! 128-bit fingerprints (XXH3), of which two in a thousand million are the same with a chance below 10^-20.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use xxhash_rust::xxh3::xxh3_128;

use super::integers::Integers;

/// Memory grows with the number of different keys. Null equals null.
#[derive(Debug)]
pub(super) struct Unique {
    columns: Vec<usize>,
    seen: Seen,
    /// A null came before, where the key is one column.
    null: bool,
}

#[derive(Debug)]
enum Seen {
    Integers(Integers),
    Strings(Fingerprints),
    Rows(RowConverter, Fingerprints),
}

type Fingerprints = HashSet<u128, BuildHasherDefault<AsItIs>>;

impl Unique {
    pub fn new(columns: Vec<usize>, types: &[DataType]) -> Result<Self, ArrowError> {
        let seen = match types {
            [DataType::Int32 | DataType::Int64 | DataType::Timestamp(..)] => Seen::Integers(Integers::default()),
            [DataType::Utf8] => Seen::Strings(Fingerprints::default()),
            _ => Seen::Rows(row_converter(types)?, Fingerprints::default()),
        };
        Ok(Self { columns, seen, null: false })
    }

    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// The rows whose key came before, in this batch or an earlier one.
    pub fn failing(&mut self, batch: &RecordBatch) -> Result<BooleanBuffer, ArrowError> {
        let null = &mut self.null;
        match &mut self.seen {
            Seen::Integers(seen) => integers(batch.column(self.columns[0]), seen, null),
            Seen::Strings(seen) => {
                let words = batch.column(self.columns[0]).as_string::<i32>();
                let again = |row: usize| !seen.insert(xxh3_128(words.value(row).as_bytes()));
                Ok(each(words.len(), words.nulls(), null, again))
            }
            Seen::Rows(converter, seen) => {
                let keys = converter.convert_columns(&project(batch, &self.columns))?;
                Ok(keys.iter().map(|key| !seen.insert(xxh3_128(key.as_ref()))).collect())
            }
        }
    }
}

fn integers(array: &ArrayRef, seen: &mut Integers, null: &mut bool) -> Result<BooleanBuffer, ArrowError> {
    let (rows, nulls) = (array.len(), array.nulls());
    Ok(match array.data_type() {
        DataType::Int32 => {
            let values = array.as_primitive::<Int32Type>().values();
            each(rows, nulls, null, |row| !seen.insert(i64::from(values[row])))
        }
        DataType::Int64 => {
            let values = array.as_primitive::<Int64Type>().values();
            each(rows, nulls, null, |row| !seen.insert(values[row]))
        }
        DataType::Timestamp(..) => {
            let values = array.as_primitive::<TimestampMicrosecondType>().values();
            each(rows, nulls, null, |row| !seen.insert(values[row]))
        }
        other => return Err(ArrowError::InvalidArgumentError(format!("{other} is no whole number"))),
    })
}

fn each(
    rows: usize,
    nulls: Option<&NullBuffer>,
    null: &mut bool,
    mut again: impl FnMut(usize) -> bool,
) -> BooleanBuffer {
    match nulls {
        None => BooleanBuffer::collect_bool(rows, again),
        Some(nulls) => BooleanBuffer::collect_bool(rows, |row| {
            if nulls.is_null(row) { std::mem::replace(null, true) } else { again(row) }
        }),
    }
}

pub(super) fn row_converter(types: &[DataType]) -> Result<RowConverter, ArrowError> {
    RowConverter::new(types.iter().cloned().map(SortField::new).collect())
}

pub(super) fn project(batch: &RecordBatch, columns: &[usize]) -> Vec<ArrayRef> {
    columns.iter().map(|column| batch.column(*column).clone()).collect()
}

/// A fingerprint is spread already.
#[derive(Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, fingerprint: u128) {
        self.0 = (fingerprint >> 64) as u64;
    }

    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }
}
