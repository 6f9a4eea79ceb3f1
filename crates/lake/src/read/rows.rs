//! Rows of declared columns, gathered value by value.

use std::mem;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use bedplate_kinds::{ColumnType, DatasetSpec};
use serde_json::Value as Json;

use super::{Value, Zone, json, text};
use crate::schema::{arrow_schema, arrow_type};

/// A row that cannot be taken as it is declared. What could be read of it is in the batch, the rest is null there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Position in the batch.
    pub row: usize,
    pub reason: String,
}

/// What was gathered; `faults` in rising order of their rows, at most one a row.
#[derive(Clone, Debug)]
pub struct RowsRead {
    pub batch: RecordBatch,
    pub faults: Vec<Fault>,
}

/// Give each row's values by column, in any order, then [`end`](Self::end) it; a column that is not given is null.
#[derive(Debug)]
pub struct Rows {
    schema: SchemaRef,
    columns: Vec<Builder>,
    zone: Zone,
    rows: usize,
    bytes: usize,
    /// Of the row that is being gathered.
    wrong: Vec<String>,
    faults: Vec<Fault>,
}

impl Rows {
    #[must_use]
    pub fn new(spec: &DatasetSpec, zone: Zone) -> Self {
        let columns = spec.schema.iter().map(|column| Builder::new(column.name.clone(), column.type_)).collect();
        Self { schema: arrow_schema(spec), columns, zone, rows: 0, bytes: 0, wrong: Vec::new(), faults: Vec::new() }
    }

    /// A column's field in the row's text.
    pub fn text(&mut self, column: usize, field: &[u8]) {
        self.bytes += field.len();
        let column = &mut self.columns[column];
        match text::value(field, column.type_, &self.zone) {
            Ok(value) => column.push(value),
            Err(why) => self.wrong.push(format!("{} {why}", column.name)),
        }
    }

    /// A column's value in the row's JSON object.
    pub fn json(&mut self, column: usize, value: &Json) {
        let column = &mut self.columns[column];
        match json::value(value, column.type_, &self.zone) {
            Ok(Some(Value::String(text))) => {
                self.bytes += text.len();
                column.push(Value::String(text));
            }
            Ok(Some(value)) => column.push(value),
            Ok(None) => {}
            Err(why) => self.wrong.push(format!("{} {why}", column.name)),
        }
    }

    /// The row as a whole is wrong.
    pub fn refuse(&mut self, why: String) {
        self.wrong.push(why);
    }

    /// Ends the row; where something is wrong with it, `line` is asked which one of the file it is.
    pub fn end(&mut self, line: impl FnOnce() -> u64) {
        self.rows += 1;
        self.bytes += 8 * self.columns.len();
        for column in &mut self.columns {
            column.fill(self.rows);
        }
        if !self.wrong.is_empty() {
            let reason = format!("line {}: {}", line(), mem::take(&mut self.wrong).join("; "));
            self.faults.push(Fault { row: self.rows - 1, reason });
        }
    }

    /// Rows gathered since the last [`take`](Self::take).
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// About how much memory they need.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What was gathered; begins anew.
    pub fn take(&mut self) -> Result<RowsRead, ArrowError> {
        let columns: Vec<ArrayRef> = self.columns.iter_mut().map(Builder::finish).collect();
        (self.rows, self.bytes) = (0, 0);
        let batch = RecordBatch::try_new(self.schema.clone(), columns)?;
        Ok(RowsRead { batch, faults: mem::take(&mut self.faults) })
    }
}

#[derive(Debug)]
struct Builder {
    name: String,
    type_: ColumnType,
    rows: usize,
    values: Values,
}

#[derive(Debug)]
enum Values {
    String(StringBuilder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Float64(Float64Builder),
    Boolean(BooleanBuilder),
    Timestamp(TimestampMicrosecondBuilder),
}

impl Builder {
    fn new(name: String, type_: ColumnType) -> Self {
        let values = match type_ {
            ColumnType::String => Values::String(StringBuilder::new()),
            ColumnType::Int32 => Values::Int32(Int32Builder::new()),
            ColumnType::Int64 => Values::Int64(Int64Builder::new()),
            ColumnType::Float64 => Values::Float64(Float64Builder::new()),
            ColumnType::Boolean => Values::Boolean(BooleanBuilder::new()),
            ColumnType::Timestamp => {
                Values::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(arrow_type(type_)))
            }
        };
        Self { name, type_, rows: 0, values }
    }

    /// Values of another type than the column's do not come here: both readers go by the declared type.
    fn push(&mut self, value: Value<'_>) {
        self.rows += 1;
        match (&mut self.values, value) {
            (Values::String(values), Value::String(value)) => values.append_value(value),
            (Values::Int32(values), Value::Int32(value)) => values.append_value(value),
            (Values::Int64(values), Value::Int64(value)) => values.append_value(value),
            (Values::Float64(values), Value::Float64(value)) => values.append_value(value),
            (Values::Boolean(values), Value::Boolean(value)) => values.append_value(value),
            (Values::Timestamp(values), Value::Timestamp(value)) => values.append_value(value),
            _ => self.rows -= 1,
        }
    }

    /// A null, when the column has fewer than `rows` values.
    fn fill(&mut self, rows: usize) {
        if self.rows >= rows {
            return;
        }
        self.rows = rows;
        match &mut self.values {
            Values::String(values) => values.append_null(),
            Values::Int32(values) => values.append_null(),
            Values::Int64(values) => values.append_null(),
            Values::Float64(values) => values.append_null(),
            Values::Boolean(values) => values.append_null(),
            Values::Timestamp(values) => values.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        self.rows = 0;
        match &mut self.values {
            Values::String(values) => Arc::new(values.finish()),
            Values::Int32(values) => Arc::new(values.finish()),
            Values::Int64(values) => Arc::new(values.finish()),
            Values::Float64(values) => Arc::new(values.finish()),
            Values::Boolean(values) => Arc::new(values.finish()),
            Values::Timestamp(values) => Arc::new(values.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
    use serde_json::json;

    use super::*;

    fn rows() -> Rows {
        let spec = json!({"owner": "a", "source": {"path": "x"}, "schema": [
            {"name": "n", "type": "int64"}, {"name": "s", "type": "string"}, {"name": "at", "type": "timestamp"}]});
        Rows::new(&serde_json::from_value(spec).unwrap(), Zone::default())
    }

    #[test]
    fn a_wrong_value_is_null_and_its_row_is_told() {
        let mut rows = rows();
        rows.text(1, b"a");
        rows.text(0, b"1");
        rows.end(|| 2);
        rows.text(0, b"x");
        rows.text(1, b"b");
        rows.text(2, b"never");
        rows.end(|| 3);
        rows.json(0, &json!(3));
        rows.json(1, &json!(null));
        rows.json(2, &json!("1970-01-01T00:00:00Z"));
        rows.end(|| 4);
        let read = rows.take().unwrap();
        let n = read.batch.column(0).as_primitive::<Int64Type>();
        assert_eq!(n.iter().collect::<Vec<_>>(), [Some(1), None, Some(3)]);
        let s = read.batch.column(1).as_string::<i32>();
        assert_eq!(s.iter().collect::<Vec<_>>(), [Some("a"), Some("b"), None]);
        assert_eq!(read.batch.column(2).as_primitive::<TimestampMicrosecondType>().null_count(), 2);
        let reason = "line 3: n \"x\" is not int64; at \"never\" is not timestamp".to_owned();
        assert_eq!(read.faults, [Fault { row: 1, reason }]);
        rows.refuse("has 2 fields".into());
        rows.end(|| 9);
        let read = rows.take().unwrap();
        assert_eq!((read.batch.num_rows(), read.faults[0].reason.as_str()), (1, "line 9: has 2 fields"));
        assert!(rows.is_empty());
    }
}
