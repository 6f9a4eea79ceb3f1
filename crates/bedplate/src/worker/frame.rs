//! Columns of a training set, as the tasks take them.

use std::path::Path;

use arrow::array::{Array, AsArray, Float64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use bedplate_controllers::FEATURE_PREFIX;
use bedplate_types::{ErrorKind, Problem};

/// The whole training set as one batch.
pub fn read(path: &Path) -> Result<RecordBatch, Problem> {
    let batches = bedplate_query::snapshot::read_snapshot(path)
        .map_err(|error| Problem::of(path.display().to_string(), &error))?;
    let schema = batches.first().map(RecordBatch::schema).ok_or_else(|| broken("it has no rows"))?;
    concat_batches(&schema, &batches).map_err(|error| broken(&error.to_string()))
}

/// The feature as the model takes it: rounded to f32, missing as NaN.
pub fn feature(batch: &RecordBatch, name: &str) -> Result<Vec<f64>, Problem> {
    let values = numbers(batch, &format!("{FEATURE_PREFIX}{name}"))?;
    Ok(values.into_iter().map(round_to_f32).collect())
}

#[expect(clippy::cast_possible_truncation, reason = "the model's inputs are f32; serving rounds in the same way")]
fn round_to_f32(value: f64) -> f64 {
    f64::from(value as f32)
}

/// The column as numbers, missing as NaN.
pub fn numbers(batch: &RecordBatch, name: &str) -> Result<Vec<f64>, Problem> {
    let values = cast(column(batch, name)?, &DataType::Float64).map_err(|error| broken(&error.to_string()))?;
    let values: &Float64Array = values.as_primitive();
    Ok((0..values.len()).map(|row| if values.is_null(row) { f64::NAN } else { values.value(row) }).collect())
}

/// The column as microseconds.
pub fn times(batch: &RecordBatch, name: &str) -> Result<TimestampMicrosecondArray, Problem> {
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let values = cast(column(batch, name)?, &utc).map_err(|error| broken(&error.to_string()))?;
    Ok(values.as_primitive::<TimestampMicrosecondType>().clone())
}

pub fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a std::sync::Arc<dyn Array>, Problem> {
    batch.column_by_name(name).ok_or_else(|| broken(&format!("it has no column {name:?}")))
}

pub fn broken(why: &str) -> Problem {
    Problem::new(ErrorKind::Corrupt, "the training set", why)
}
