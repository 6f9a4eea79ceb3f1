//! Rows as a person reads them.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// What does not fit is cut.
const WIDEST: usize = 80;
const NULL: &str = "null";

/// The header and the rows, each column padded to its width but the last; numbers stand to the right.
///
/// # Errors
/// A value that cannot be written.
pub fn rows_as_text(schema: &Schema, batches: &[RecordBatch]) -> Result<Vec<String>, ArrowError> {
    let mut columns: Vec<Column> =
        schema.fields().iter().map(|field| Column::new(field.name(), field.data_type())).collect();
    for batch in batches {
        for (column, array) in columns.iter_mut().zip(batch.columns()) {
            column.add(array)?;
        }
    }
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    Ok((0..=rows).map(|row| line(&columns, row)).collect())
}

struct Column {
    is_number: bool,
    /// The name first.
    cells: Vec<String>,
    width: usize,
}

impl Column {
    fn new(name: &str, type_: &DataType) -> Self {
        let name = printable(name);
        let width = name.chars().count();
        Self { is_number: type_.is_numeric(), cells: vec![name], width }
    }

    fn add(&mut self, array: &dyn Array) -> Result<(), ArrowError> {
        let options = FormatOptions::default().with_null(NULL);
        let formatter = ArrayFormatter::try_new(array, &options)?;
        for row in 0..array.len() {
            let cell = printable(&formatter.value(row).try_to_string()?);
            self.width = self.width.max(cell.chars().count());
            self.cells.push(cell);
        }
        Ok(())
    }
}

fn line(columns: &[Column], row: usize) -> String {
    let last = columns.len().saturating_sub(1);
    let mut line = String::new();
    for (place, column) in columns.iter().enumerate() {
        let (cell, width) = (column.cells.get(row).map_or("", String::as_str), column.width);
        if column.is_number {
            line += &format!("{cell:>width$}");
        } else if place == last {
            line += cell;
        } else {
            line += &format!("{cell:width$}");
        }
        if place != last {
            line += "   ";
        }
    }
    line
}

/// On one line, without what would steer a terminal.
fn printable(text: &str) -> String {
    let mut shown: String =
        text.chars().take(WIDEST + 1).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if shown.chars().count() > WIDEST {
        shown = shown.chars().take(WIDEST - 1).chain(['…']).collect();
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, StringArray};

    use super::*;

    #[test]
    fn numbers_stand_to_the_right_and_nothing_steers_the_terminal() {
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("origin", Arc::new(StringArray::from(vec![Some("EWR"), None])) as _, true),
            ("flights", Arc::new(Int64Array::from(vec![Some(12_345), Some(7)])) as _, true),
            ("note", Arc::new(StringArray::from(vec!["\u{1b}[31mred\n", &"x".repeat(200)])) as _, true),
            ("delay", Arc::new(Float64Array::from(vec![Some(1.5), None])) as _, true),
        ])
        .unwrap();
        let lines = rows_as_text(&batch.schema(), &[batch.clone()]).unwrap();
        assert!(lines[0].starts_with("origin   flights   note "), "{}", lines[0]);
        assert!(lines[1].starts_with("EWR        12345   \u{fffd}[31mred\u{fffd} "), "{}", lines[1]);
        assert!(lines[2].starts_with("null           7   xxx") && lines[2].contains('…'), "{}", lines[2]);
        assert!(lines[1].ends_with("     1.5") || lines[1].ends_with("     1.5".trim_start()), "{}", lines[1]);
        assert_eq!(rows_as_text(&batch.schema(), &[]).unwrap().len(), 1, "the header alone");
    }
}
