//! Rows as a person reads them.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// What does not fit is cut, of the last column much later: nothing stands behind it.
const WIDEST: usize = 80;
const WIDEST_LAST: usize = 2_000;
const NULL: &str = "null";

/// The header and the rows, each column padded to its width but the last; numbers stand to the right. A cell of several lines
/// makes the row as many.
///
/// # Errors
/// A value that cannot be written.
pub fn rows_as_text(schema: &Schema, batches: &[RecordBatch]) -> Result<Vec<String>, ArrowError> {
    let fields = schema.fields().iter().enumerate();
    let last = schema.fields().len().saturating_sub(1);
    let widest = |place: usize, is_number: bool| if place == last && !is_number { WIDEST_LAST } else { WIDEST };
    let mut columns: Vec<Column> = fields
        .map(|(place, field)| {
            Column::new(field.name(), field.data_type(), widest(place, field.data_type().is_numeric()))
        })
        .collect();
    for batch in batches {
        for (column, array) in columns.iter_mut().zip(batch.columns()) {
            column.add(array)?;
        }
    }
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    Ok((0..=rows).flat_map(|row| lines(&columns, row)).collect())
}

struct Column {
    is_number: bool,
    widest: usize,
    /// The name first; each in lines.
    cells: Vec<Vec<String>>,
    width: usize,
}

impl Column {
    fn new(name: &str, type_: &DataType, widest: usize) -> Self {
        let mut column = Self { is_number: type_.is_numeric(), widest, cells: Vec::new(), width: 0 };
        column.push(name);
        column
    }

    fn add(&mut self, array: &dyn Array) -> Result<(), ArrowError> {
        let options = FormatOptions::default().with_null(NULL);
        let formatter = ArrayFormatter::try_new(array, &options)?;
        for row in 0..array.len() {
            self.push(&formatter.value(row).try_to_string()?);
        }
        Ok(())
    }

    fn push(&mut self, text: &str) {
        let lines: Vec<String> =
            text.trim_end_matches('\n').split('\n').map(|line| printable(line, self.widest)).collect();
        self.width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0).max(self.width);
        self.cells.push(lines);
    }

    fn line(&self, row: usize, line: usize) -> &str {
        self.cells.get(row).and_then(|lines| lines.get(line)).map_or("", String::as_str)
    }
}

fn lines(columns: &[Column], row: usize) -> Vec<String> {
    let height = columns.iter().filter_map(|column| column.cells.get(row)).map(Vec::len).max().unwrap_or(0);
    (0..height).map(|at| line(columns, row, at)).collect()
}

fn line(columns: &[Column], row: usize, at: usize) -> String {
    let last = columns.len().saturating_sub(1);
    let mut line = String::new();
    for (place, column) in columns.iter().enumerate() {
        let (cell, width) = (column.line(row, at), column.width);
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

/// Without what would steer a terminal.
fn printable(text: &str, widest: usize) -> String {
    let shown: String = text.chars().take(widest + 1).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if shown.chars().count() <= widest {
        return shown;
    }
    shown.chars().take(widest - 1).chain(['…']).collect()
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
            ("note", Arc::new(StringArray::from(vec!["\u{1b}[31mred\t", &"x".repeat(200)])) as _, true),
            ("delay", Arc::new(Float64Array::from(vec![Some(1.5), None])) as _, true),
        ])
        .unwrap();
        let lines = rows_as_text(&batch.schema(), std::slice::from_ref(&batch)).unwrap();
        assert!(lines[0].starts_with("origin   flights   note "), "{}", lines[0]);
        assert!(lines[1].starts_with("EWR        12345   \u{fffd}[31mred\u{fffd} "), "{}", lines[1]);
        assert!(lines[2].starts_with("null           7   xxx") && lines[2].contains('…'), "{}", lines[2]);
        assert!(lines[1].ends_with("     1.5"), "{}", lines[1]);
        assert_eq!(rows_as_text(&batch.schema(), &[]).unwrap().len(), 1, "the header alone");
    }

    #[test]
    fn a_plan_keeps_its_lines() {
        let plan = format!("Scan: {}\n  Filter\n", "x".repeat(200));
        let batch = RecordBatch::try_from_iter([
            ("type", Arc::new(StringArray::from(vec!["logical"])) as _),
            ("plan", Arc::new(StringArray::from(vec![plan.as_str()])) as _),
        ])
        .unwrap();
        let lines = rows_as_text(&batch.schema(), std::slice::from_ref(&batch)).unwrap();
        let first = format!("logical   Scan: {}", "x".repeat(200));
        assert_eq!(lines[1..], [first.as_str(), "            Filter"]);
    }
}
