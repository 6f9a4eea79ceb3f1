//! Values that rise from row to row.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::{cast, max};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;

/// What it remembers is the last value.
#[derive(Debug)]
pub(super) struct Increasing {
    pub column: usize,
    strictly: bool,
    last: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) enum Value {
    Integer(i64),
    Float(f64),
}

impl Increasing {
    pub fn new(column: usize, strictly: bool) -> Self {
        Self { column, strictly, last: None }
    }

    /// The rows whose value does not rise above the last one before; NaN rises above nothing.
    pub fn failing(&mut self, array: &ArrayRef) -> Result<BooleanBuffer, ArrowError> {
        let (rows, nulls) = (array.len(), array.nulls());
        Ok(match array.data_type() {
            DataType::Int32 => {
                let values = array.as_primitive::<Int32Type>().values();
                self.each(rows, nulls, |row| Value::Integer(i64::from(values[row])))
            }
            DataType::Int64 => {
                let values = array.as_primitive::<Int64Type>().values();
                self.each(rows, nulls, |row| Value::Integer(values[row]))
            }
            DataType::Timestamp(..) => {
                let values = array.as_primitive::<TimestampMicrosecondType>().values();
                self.each(rows, nulls, |row| Value::Integer(values[row]))
            }
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>().values();
                self.each(rows, nulls, |row| Value::Float(values[row]))
            }
            other => return Err(ArrowError::InvalidArgumentError(format!("{other} does not rise"))),
        })
    }

    fn each(&mut self, rows: usize, nulls: Option<&NullBuffer>, value: impl Fn(usize) -> Value) -> BooleanBuffer {
        BooleanBuffer::collect_bool(rows, |row| {
            if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                return false;
            }
            let value = value(row);
            let before = self.last.replace(value);
            before.is_some_and(|before| falls(before, value, self.strictly))
        })
    }

    pub fn fresh(&self) -> Self {
        Self::new(self.column, self.strictly)
    }

    /// The greatest of these values and of what it stands at: in a table rows have no order.
    pub fn reach(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        let greatest = match array.data_type() {
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>().iter().flatten();
                values.filter(|value| !value.is_nan()).reduce(f64::max).map(Value::Float)
            }
            _ => max(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>()).map(Value::Integer),
        };
        self.stand_at(greatest);
        Ok(())
    }

    pub fn stand_at(&mut self, value: Option<Value>) {
        let Some(value) = value else { return };
        if self.last.is_none_or(|last| value > last) {
            self.last = Some(value);
        }
    }

    /// The last value.
    pub const fn stands_at(&self) -> Option<Value> {
        self.last
    }
}

fn falls(before: Value, value: Value, strictly: bool) -> bool {
    match value.partial_cmp(&before) {
        Some(Ordering::Greater) => false,
        Some(Ordering::Equal) => strictly,
        _ => true,
    }
}
