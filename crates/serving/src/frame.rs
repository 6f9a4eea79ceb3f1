//! The request's columns as the model's inputs.

use arrow::array::{Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array};
use arrow::datatypes::{DataType, TimeUnit};
use bedplate_types::Timestamp;

use crate::PredictError;

/// The moment of each row: a timestamp column, or RFC 3339 text.
pub fn moments(batch: &RecordBatch, column: &str) -> Result<Vec<Timestamp>, PredictError> {
    let values = batch.column_by_name(column).ok_or_else(|| PredictError::MissingColumn(column.to_owned()))?;
    match values.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, _) => from_timestamps(values.as_ref(), column),
        DataType::Utf8 => from_text(values.as_ref(), column),
        other => Err(PredictError::WrongType { column: column.to_owned(), found: other.to_string() }),
    }
}

fn from_timestamps(values: &dyn Array, column: &str) -> Result<Vec<Timestamp>, PredictError> {
    let values = values.as_any().downcast_ref::<TimestampMicrosecondArray>().into_iter().flatten();
    values
        .map(|micros| micros.map(Timestamp::from_micros).ok_or_else(|| PredictError::NoMoment(column.to_owned())))
        .collect()
}

fn from_text(values: &dyn Array, column: &str) -> Result<Vec<Timestamp>, PredictError> {
    let values = values.as_any().downcast_ref::<StringArray>().into_iter().flatten();
    values
        .map(|text| {
            let text = text.ok_or_else(|| PredictError::NoMoment(column.to_owned()))?;
            text.parse().map_err(|_| PredictError::BadMoment { column: column.to_owned(), text: text.to_owned() })
        })
        .collect()
}

/// The batch with its moment column as a timestamp, which is what the request's transforms read.
pub fn with_moments(batch: &RecordBatch, column: &str, moments: &[Timestamp]) -> Result<RecordBatch, PredictError> {
    let times: TimestampMicrosecondArray = moments.iter().map(|moment| Some(moment.micros())).collect();
    let times = std::sync::Arc::new(times.with_timezone("UTC"));
    let mut columns: Vec<(&str, std::sync::Arc<dyn Array>)> = vec![(column, times)];
    for (field, values) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        if field.name() != column {
            columns.push((field.name(), values.clone()));
        }
    }
    Ok(RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, values)| (name, values, true)))?)
}

/// Row `i` of the batch as JSON, for the prediction's record.
pub fn row_json(batch: &RecordBatch, i: usize) -> serde_json::Value {
    let index = UInt32Array::from(vec![u32::try_from(i).unwrap_or(u32::MAX)]);
    let text = |column: &std::sync::Arc<dyn Array>| {
        let one = arrow::compute::take(column, &index, None).ok()?;
        arrow::util::display::array_value_to_string(&one, 0).ok()
    };
    let fields = batch.schema_ref().fields().iter().zip(batch.columns());
    fields.map(|(field, column)| (field.name().clone(), text(column).into())).collect::<serde_json::Map<_, _>>().into()
}
