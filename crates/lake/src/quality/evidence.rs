//! The first thing that went wrong, kept to be shown.

use arrow::array::{Array, RecordBatch};
use arrow::util::display::array_value_to_string;

/// A failing row and what it has in the columns that were looked at.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    pub row: u64,
    pub values: String,
}

/// `column value` for each of the columns.
pub(super) fn values(batch: &RecordBatch, columns: &[usize], row: usize) -> String {
    let schema = batch.schema();
    let shown = columns.iter().map(|i| format!("{} {}", schema.field(*i).name(), value(batch.column(*i), row)));
    shown.collect::<Vec<_>>().join(", ")
}

/// A value for people; `null` when there is none.
pub(super) fn value(array: &dyn Array, row: usize) -> String {
    if array.is_null(row) {
        return "null".into();
    }
    array_value_to_string(array, row).unwrap_or_else(|_| "?".into())
}
