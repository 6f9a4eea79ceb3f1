//! Which columns are written with a dictionary. Where nearly every value is another one, it costs more than half of a file's
//! processor time and is thrown away in the end.

use std::collections::HashSet;

use arrow::array::{Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Schema};
use arrow::row::{RowConverter, SortField};
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::GROUP_ROWS;

/// Rows looked at, spread evenly over the first group.
const SAMPLE: usize = 8192;

pub(super) fn properties(schema: &Schema, first: &[RecordBatch], compression: Compression) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_created_by("bedplate".into());
    for (position, field) in schema.fields().iter().enumerate() {
        if pays(position, field.data_type(), first) {
            continue;
        }
        let column = ColumnPath::from(field.name().as_str());
        properties = properties.set_column_dictionary_enabled(column.clone(), false);
        if field.data_type().is_integer() || field.data_type().is_temporal() {
            // Keys and times lie close together.
            properties = properties.set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
        }
    }
    properties.build()
}

/// Whether a dictionary makes half of the column, judged by some of its values.
fn pays(column: usize, type_: &DataType, batches: &[RecordBatch]) -> bool {
    if type_.is_nested() || matches!(type_, DataType::Boolean) {
        return true;
    }
    let Some(sample) = sample(column, type_, batches).filter(|sample| sample.present > 0) else { return true };
    let present = sample.present as f64;
    let rows = sample.rows as f64 * present / sample.looked_at as f64;
    let width = sample.bytes as f64 / present;
    let different = in_all(present, sample.different as f64, rows);
    let with = different * width + rows * different.max(2.0).log2() / 8.0;
    with <= rows * width / 2.0
}

#[derive(Default)]
struct Sample {
    /// Of all batches.
    rows: usize,
    looked_at: usize,
    /// Those looked at that are not null, how many different ones, and what they are as bytes.
    present: usize,
    different: usize,
    bytes: usize,
}

/// `None` for types that are not turned into bytes.
fn sample(column: usize, type_: &DataType, batches: &[RecordBatch]) -> Option<Sample> {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let step = (rows / SAMPLE).max(1);
    let converter = RowConverter::new(vec![SortField::new(type_.clone())]).ok()?;
    let mut found = Sample { rows, ..Sample::default() };
    let mut seen: HashSet<Vec<u8>> = HashSet::new();
    let mut before: usize = 0;
    for array in batches.iter().map(|batch| batch.column(column)) {
        let first = before.next_multiple_of(step) - before;
        before += array.len();
        let some: UInt32Array = (first..array.len()).step_by(step).filter_map(|row| u32::try_from(row).ok()).collect();
        let values = take(array, &some, None).ok()?;
        found.looked_at += values.len();
        let bytes = converter.convert_columns(std::slice::from_ref(&values)).ok()?;
        for value in (0..values.len()).filter(|row| values.is_valid(*row)).map(|row| bytes.row(row)) {
            found.present += 1;
            found.bytes += value.as_ref().len();
            if !seen.contains(value.as_ref()) {
                seen.insert(value.as_ref().to_vec());
            }
        }
    }
    found.different = seen.len();
    Some(found)
}

/// How many different values `rows` rows have, if `looked` of them have `different`, and all values are equally frequent:
/// of `n` such values `n * (1 - exp(-rows / n))` are among the rows.
fn in_all(looked: f64, different: f64, rows: f64) -> f64 {
    let among = |values: f64, rows: f64| values * -(-rows / values).exp_m1();
    let (mut few, mut many) = (different, 1e12);
    while many / few > 1.01 {
        let middle = (few * many).sqrt();
        if among(middle, looked) < different { few = middle } else { many = middle }
    }
    among(many, rows)
}
