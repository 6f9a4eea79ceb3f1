//! The moments in a pushed or written frame.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Int64Type};
use bedplate_feast::StoreError;
use bedplate_types::Timestamp;

use super::internal;

/// What Feast's client calls the moment of a row it writes into a view.
const EVENT_TIMESTAMP: &str = "event_timestamp";

/// The frame with its time column as microseconds: it came as RFC 3339 text, or as whole microseconds since 1970.
pub fn with_times(frame: &RecordBatch, column: Option<&str>) -> Result<RecordBatch, StoreError> {
    let Some(column) = column else { return Ok(frame.clone()) };
    let wrong = |why: &str| StoreError::Column { column: column.to_owned(), why: why.to_owned() };
    let values = frame.column_by_name(column).ok_or_else(|| wrong("is missing"))?;
    let times: TimestampMicrosecondArray = match values.data_type() {
        DataType::Int64 => values.as_primitive::<Int64Type>().iter().collect(),
        DataType::Utf8 => {
            let micros = |text: &str| text.parse::<Timestamp>().map(Timestamp::micros);
            let texts = values.as_string::<i32>().iter().map(|text| text.map(micros).transpose());
            texts.collect::<Result<_, _>>().map_err(|error| wrong(&error.to_string()))?
        }
        _ => return Err(wrong("must be RFC 3339 text or whole microseconds since 1970")),
    };
    let times: ArrayRef = Arc::new(times.with_timezone("UTC"));
    let fields = frame.schema_ref().fields().iter().zip(frame.columns());
    let columns = fields.map(|(field, values)| {
        (field.name().clone(), if field.name() == column { times.clone() } else { values.clone() }, true)
    });
    RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).map_err(|error| internal(&error.to_string()))
}

/// What Feast's client writes into a view: the moment under its own name and as naive UTC, which is taken as what it is.
pub fn as_written(frame: &RecordBatch, column: Option<&str>) -> Result<RecordBatch, StoreError> {
    let Some(column) = column.filter(|column| frame.column_by_name(column).is_none()) else { return Ok(frame.clone()) };
    let Some(times) = frame.column_by_name(EVENT_TIMESTAMP) else { return Ok(frame.clone()) };
    let wrong = || StoreError::Column { column: EVENT_TIMESTAMP.to_owned(), why: "must be ISO 8601 text".to_owned() };
    let times = times.as_string_opt::<i32>().ok_or_else(wrong)?;
    let times: StringArray = times.iter().map(|text| text.map(in_utc)).collect();
    let fields = frame.schema_ref().fields().iter().zip(frame.columns());
    let others = fields.map(|(field, values)| (field.name().clone(), values.clone(), true));
    let columns = others.chain([(column.to_owned(), Arc::new(times) as ArrayRef, true)]);
    RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).map_err(|error| internal(&error.to_string()))
}

/// `2013-07-01T09:00:00` is `2013-07-01T09:00:00Z`; what says its zone stays as it is.
fn in_utc(text: &str) -> String {
    let is_naive = text.parse::<Timestamp>().is_err() && format!("{text}Z").parse::<Timestamp>().is_ok();
    if is_naive { format!("{text}Z") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn naive_moments_are_utc_and_others_stay() {
        assert_eq!(in_utc("2013-07-01T09:00:00"), "2013-07-01T09:00:00Z");
        assert_eq!(in_utc("2013-07-01T09:00:00+02:00"), "2013-07-01T09:00:00+02:00");
        assert_eq!(in_utc("soon"), "soon");
    }
}
