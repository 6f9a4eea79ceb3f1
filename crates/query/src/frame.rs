//! A frame: the rows of a query in memory, and the few things done with them by hand.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, RecordBatch};
use arrow::compute::{SortColumn, cast, concat_batches, filter_record_batch, lexsort_to_indices, take_record_batch};
use arrow::datatypes::{DataType, Float64Type, SchemaRef, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use bedplate_types::{ErrorKind, Explained, Timestamp};

/// Rows of one schema, in batches.
#[derive(Clone, Debug)]
pub struct Frame {
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
}

#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("column {column:?} is not there; there are {has}")]
    MissingColumn { column: String, has: String },
    #[error("column {column:?} is {is} and not {needs}")]
    WrongType { column: String, is: String, needs: &'static str },
    #[error("cannot rearrange the rows")]
    Arrow(#[from] ArrowError),
}

impl Explained for FrameError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::MissingColumn { .. } | Self::WrongType { .. } => ErrorKind::Invalid,
            Self::Arrow(_) => ErrorKind::Internal,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::MissingColumn { .. } => Some("select the column in the query, under that name".into()),
            Self::WrongType { needs, .. } => Some(format!("cast the column to {needs} in the query")),
            Self::Arrow(_) => None,
        }
    }
}

impl Frame {
    #[must_use]
    pub fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self { schema, batches }
    }

    #[must_use]
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// All rows in one batch; copies them.
    pub fn concat(&self) -> Result<RecordBatch, FrameError> {
        Ok(concat_batches(&self.schema, &self.batches)?)
    }

    /// The rows in rising order of the columns, nulls first, as one batch. Equal rows may change places.
    pub fn sorted_by(&self, columns: &[&str]) -> Result<Self, FrameError> {
        let batch = self.concat()?;
        let keys = columns
            .iter()
            .map(|name| Ok(SortColumn { values: batch.column(self.position(name)?).clone(), options: None }));
        let order = lexsort_to_indices(&keys.collect::<Result<Vec<_>, FrameError>>()?, None)?;
        Ok(Self { schema: self.schema.clone(), batches: vec![take_record_batch(&batch, &order)?] })
    }

    /// The rows with `from <= time < to`; rows without a time are left out.
    pub fn between(&self, time: &str, from: Timestamp, to: Timestamp) -> Result<Self, FrameError> {
        let position = self.position(time)?;
        let inside = |micros: Option<i64>| Some(micros.is_some_and(|at| at >= from.micros() && at < to.micros()));
        let batches = self.batches.iter().map(|batch| {
            let mask: BooleanArray = times(time, batch.column(position))?.into_iter().map(inside).collect();
            Ok(filter_record_batch(batch, &mask)?)
        });
        Ok(Self { schema: self.schema.clone(), batches: batches.collect::<Result<_, FrameError>>()? })
    }

    /// A number or boolean column; null becomes NaN.
    pub fn f64(&self, column: &str) -> Result<Vec<f64>, FrameError> {
        self.each(column, |array| {
            if !array.data_type().is_numeric() && *array.data_type() != DataType::Boolean {
                return Err(wrong_type(column, array, "a number"));
            }
            let array = cast(array, &DataType::Float64)?;
            let numbers: &Float64Array = array.as_primitive::<Float64Type>();
            Ok(numbers.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
        })
    }

    /// A timestamp column in microseconds since 1970 UTC.
    pub fn micros(&self, column: &str) -> Result<Vec<Option<i64>>, FrameError> {
        self.each(column, |array| times(column, array))
    }

    /// A column as text; numbers are spelled out.
    pub fn strings(&self, column: &str) -> Result<Vec<Option<String>>, FrameError> {
        self.each(column, |array| {
            let array = cast(array, &DataType::Utf8)?;
            Ok(array.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect())
        })
    }

    fn each<T>(
        &self,
        column: &str,
        values: impl Fn(&ArrayRef) -> Result<Vec<T>, FrameError>,
    ) -> Result<Vec<T>, FrameError> {
        let position = self.position(column)?;
        let mut all = Vec::with_capacity(self.rows());
        for batch in &self.batches {
            all.extend(values(batch.column(position))?);
        }
        Ok(all)
    }

    fn position(&self, column: &str) -> Result<usize, FrameError> {
        self.schema.index_of(column).map_err(|_| {
            let has: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
            FrameError::MissingColumn { column: column.to_owned(), has: has.join(", ") }
        })
    }
}

fn times(column: &str, array: &ArrayRef) -> Result<Vec<Option<i64>>, FrameError> {
    if !matches!(array.data_type(), DataType::Timestamp(..)) {
        return Err(wrong_type(column, array, "a timestamp"));
    }
    let array = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
    Ok(array.as_primitive::<TimestampMicrosecondType>().iter().collect())
}

fn wrong_type(column: &str, array: &ArrayRef, needs: &'static str) -> FrameError {
    FrameError::WrongType { column: column.to_owned(), is: array.data_type().to_string(), needs }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, StringArray, TimestampMicrosecondArray};

    use super::*;

    fn frame() -> Frame {
        let piece = |ids: Vec<Option<i32>>, at: Vec<i64>| {
            let names: StringArray = ids.iter().map(|id| id.map(|id| format!("n{id}"))).collect();
            RecordBatch::try_from_iter_with_nullable([
                ("id", Arc::new(Int32Array::from(ids)) as ArrayRef, true),
                ("name", Arc::new(names), true),
                ("at", Arc::new(TimestampMicrosecondArray::from(at).with_timezone("UTC")), true),
            ])
            .unwrap()
        };
        let batches = vec![piece(vec![Some(3), None], vec![30, 5]), piece(vec![Some(1)], vec![10])];
        Frame::new(batches[0].schema(), batches)
    }

    #[test]
    fn sorts_filters_and_reads_columns_over_batches() {
        let sorted = frame().sorted_by(&["at"]).unwrap();
        assert_eq!(sorted.micros("at").unwrap(), [Some(5), Some(10), Some(30)]);
        assert_eq!(sorted.strings("name").unwrap(), [None, Some("n1".into()), Some("n3".into())]);
        let numbers = sorted.f64("id").unwrap();
        assert!(numbers[0].is_nan());
        assert_eq!(numbers[1..], [1.0, 3.0]);
        let window = frame().between("at", Timestamp::from_micros(5), Timestamp::from_micros(30)).unwrap();
        assert_eq!(window.micros("at").unwrap(), [Some(5), Some(10)]);
        assert_eq!(frame().concat().unwrap().num_rows(), 3);
    }

    #[test]
    fn a_wrong_column_is_named() {
        let error = frame().f64("speed").unwrap_err();
        assert_eq!(error.to_string(), "column \"speed\" is not there; there are id, name, at");
        assert!(frame().f64("name").unwrap_err().to_string().contains("Utf8 and not a number"));
        assert!(frame().micros("id").is_err());
    }
}
