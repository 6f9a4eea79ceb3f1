//! The moments in a pushed or written frame.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Int64Type};
use bedplate_feast::StoreError;
use bedplate_types::Timestamp;

use super::internal;

/// What Feast's client calls the moment of a row it writes into a view.
const EVENT_TIMESTAMP: &str = "event_timestamp";
/// What it calls the moment at which the row was created.
const CREATED: &str = "created";

/// The frame with its time column as microseconds: it came as RFC 3339 text, or as whole microseconds since 1970.
pub fn with_times(frame: &RecordBatch, column: Option<&str>) -> Result<RecordBatch, StoreError> {
    let Some(column) = column else { return Ok(frame.clone()) };
    let wrong = |why: &str| StoreError::Column { column: column.to_owned(), why: why.to_owned() };
    let values = frame.column_by_name(column).ok_or_else(|| wrong("is missing"))?;
    let times: TimestampMicrosecondArray = match values.data_type() {
        DataType::Timestamp(..) => return Ok(frame.clone()),
        DataType::Int64 => values.as_primitive::<Int64Type>().iter().collect(),
        DataType::Utf8 => {
            let micros = |text: &str| text.parse::<Timestamp>().map(Timestamp::micros);
            let texts = values.as_string::<i32>().iter().map(|text| text.map(micros).transpose());
            texts.collect::<Result<_, _>>().map_err(|error| wrong(&error.to_string()))?
        }
        _ => return Err(wrong("must be RFC 3339 text or whole microseconds since 1970")),
    };
    with(frame, column, Arc::new(times.with_timezone("UTC")))
}

/// The frame with the column that tells when rows were created, which Feast's client calls by a name of its own. Rows may have
/// been created at no moment that is known.
pub fn with_created(frame: &RecordBatch, column: Option<&str>) -> Result<RecordBatch, StoreError> {
    let Some(name) = column else { return Ok(frame.clone()) };
    let frame = called(frame, CREATED, column)?;
    match frame.column_by_name(name) {
        // Nothing but nulls has no type of its own.
        Some(values) if values.null_count() == values.len() => {
            with(&frame, name, Arc::new(TimestampMicrosecondArray::from(vec![None; values.len()])))
        }
        _ => with_times(&frame, column),
    }
}

/// The frame with a column in the place of the one of its name, or behind the others.
fn with(frame: &RecordBatch, name: &str, values: ArrayRef) -> Result<RecordBatch, StoreError> {
    let fields = frame.schema_ref().fields().iter().zip(frame.columns());
    let others = fields.map(|(field, own)| {
        (field.name().clone(), if field.name() == name { values.clone() } else { own.clone() }, true)
    });
    let added = frame.column_by_name(name).is_none().then(|| (name.to_owned(), values.clone(), true));
    let columns: Vec<_> = others.chain(added).collect();
    RecordBatch::try_from_iter_with_nullable(columns).map_err(|error| internal(&error.to_string()))
}

/// What Feast's client writes into a view: the moment under its own name and as naive UTC, which is taken as what it is.
pub fn as_written(frame: &RecordBatch, column: Option<&str>) -> Result<RecordBatch, StoreError> {
    called(frame, EVENT_TIMESTAMP, column)
}

/// The frame with what Feast's client calls `feasts` under the view's own name, where it does not have it already.
fn called(frame: &RecordBatch, feasts: &str, column: Option<&str>) -> Result<RecordBatch, StoreError> {
    let Some(column) = column.filter(|column| frame.column_by_name(column).is_none()) else { return Ok(frame.clone()) };
    let Some(times) = frame.column_by_name(feasts) else { return Ok(frame.clone()) };
    if times.null_count() == times.len() {
        return with(frame, column, times.clone());
    }
    let wrong = || StoreError::Column { column: feasts.to_owned(), why: "must be ISO 8601 text".to_owned() };
    let texts = times.as_string_opt::<i32>().ok_or_else(wrong)?;
    let texts: StringArray = texts.iter().map(|text| text.map(in_utc)).collect();
    with(frame, column, Arc::new(texts))
}

/// `2013-07-01T09:00:00` is `2013-07-01T09:00:00Z`; what says its zone stays as it is.
fn in_utc(text: &str) -> String {
    let is_naive = text.parse::<Timestamp>().is_err() && format!("{text}Z").parse::<Timestamp>().is_ok();
    if is_naive { format!("{text}Z") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use arrow::array::Float64Array;
    use arrow::datatypes::TimestampMicrosecondType;

    use super::*;

    fn created(columns: &[(&str, ArrayRef)]) -> Result<Vec<Option<i64>>, StoreError> {
        let frame = RecordBatch::try_from_iter(columns.iter().map(|(name, values)| (*name, values.clone()))).unwrap();
        let frame = with_created(&frame, Some("made"))?;
        let made = frame.column_by_name("made").unwrap().as_primitive::<TimestampMicrosecondType>();
        Ok(made.iter().collect())
    }

    #[test]
    fn when_rows_were_created_is_told_under_the_views_name_or_feasts() {
        let text = |text: Option<&str>| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
        let (own, naive) = (text(Some("1970-01-01T00:00:01Z")), text(Some("1970-01-01T00:00:02")));
        assert_eq!(created(&[("made", own.clone()), ("created", naive.clone())]), Ok(vec![Some(1_000_000)]));
        assert_eq!(created(&[("created", naive)]), Ok(vec![Some(2_000_000)]));
        assert_eq!(created(&[("created", Arc::new(Float64Array::from(vec![None])))]), Ok(vec![None]));
        let error = created(&[("other", own)]).unwrap_err();
        assert!(matches!(&error, StoreError::Column { column, .. } if column == "made"), "{error}");
    }

    #[test]
    fn naive_moments_are_utc_and_others_stay() {
        assert_eq!(in_utc("2013-07-01T09:00:00"), "2013-07-01T09:00:00Z");
        assert_eq!(in_utc("2013-07-01T09:00:00+02:00"), "2013-07-01T09:00:00+02:00");
        assert_eq!(in_utc("soon"), "soon");
    }
}
