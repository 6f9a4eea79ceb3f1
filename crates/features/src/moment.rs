//! Columns of instants as whole microseconds, rounded so that nothing becomes known too early.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{
    ArrowTimestampType, DataType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use bedplate_types::Timestamp;

use crate::FeatureError;
use crate::key::{is_string, text_column, wrong_type};
use crate::number::column_of;

/// Where nanoseconds between two microseconds go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Round {
    /// For the moment a row became known: never earlier than it was.
    Later,
    /// For the moment asked for: never later than it was.
    Earlier,
}

/// A timestamp column of any unit and zone, in microseconds since 1970 UTC; one without a zone is taken as UTC.
///
/// Dates are refused: a row dated by its day would be known from that day's midnight on.
pub(crate) fn moments(of: &str, batch: &RecordBatch, name: &str, round: Round) -> Result<Int64Array, FeatureError> {
    let column = column_of(of, batch, name)?;
    let read = match column.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => scaled::<TimestampSecondType>(column, |t| t.checked_mul(1_000_000)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            scaled::<TimestampMillisecondType>(column, |t| t.checked_mul(1_000))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let moments = column.as_primitive::<TimestampMicrosecondType>();
            Ok(Int64Array::new(moments.values().clone(), moments.nulls().cloned()))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            scaled::<TimestampNanosecondType>(column, |t| Some(from_nanos(t, round)))
        }
        DataType::Null => Ok(Int64Array::new_null(column.len())),
        _ => return Err(wrong_type(of, name, column, "a timestamp")),
    };
    read.map_err(|(row, found)| invalid(of, name, row, &found))
}

/// Like [`moments`] rounded down, for a request: text written as RFC 3339 is read too.
pub(crate) fn moments_or_text(of: &str, batch: &RecordBatch, name: &str) -> Result<Int64Array, FeatureError> {
    let column = column_of(of, batch, name)?;
    if !is_string(column.data_type()) {
        return moments(of, batch, name, Round::Earlier);
    }
    let texts = text_column(of, name, column)?;
    let parse = |(row, text): (usize, Option<&str>)| match text.map(str::parse::<Timestamp>) {
        None => Ok(None),
        Some(Ok(moment)) => Ok(Some(moment.micros())),
        Some(Err(_)) => Err(invalid(of, name, row, &format!("{:?}", text.unwrap_or_default()))),
    };
    texts.iter().enumerate().map(parse).collect()
}

fn scaled<T: ArrowTimestampType>(
    column: &ArrayRef,
    scale: impl Fn(i64) -> Option<i64>,
) -> Result<Int64Array, (usize, String)> {
    let column = column.as_primitive::<T>();
    let one = |(row, value): (usize, Option<i64>)| match value {
        None => Ok(None),
        Some(value) => scale(value).map(Some).ok_or_else(|| (row, format!("{value} {:?}s", T::UNIT))),
    };
    column.iter().enumerate().map(one).collect()
}

fn from_nanos(nanos: i64, round: Round) -> i64 {
    let down = nanos.div_euclid(1_000);
    let between = nanos.rem_euclid(1_000) != 0;
    down + i64::from(between && round == Round::Later)
}

fn invalid(of: &str, name: &str, row: usize, found: &str) -> FeatureError {
    FeatureError::InvalidTime { of: of.to_owned(), column: name.to_owned(), row, found: found.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Date32Array, StringArray, TimestampNanosecondArray, TimestampSecondArray};

    use super::*;

    fn batch(column: ArrayRef) -> RecordBatch {
        RecordBatch::try_from_iter([("t", column)]).unwrap()
    }

    #[test]
    fn nanoseconds_never_make_a_row_known_early_or_a_question_late() {
        let times = batch(Arc::new(TimestampNanosecondArray::from(vec![1_500, -1, 2_000, -1_500])));
        assert_eq!(moments("x", &times, "t", Round::Later).unwrap(), Int64Array::from(vec![2, 0, 2, -1]));
        assert_eq!(moments("x", &times, "t", Round::Earlier).unwrap(), Int64Array::from(vec![1, -1, 2, -2]));
    }

    #[test]
    fn zones_do_not_shift_the_instant_and_overflow_is_named() {
        let times = TimestampSecondArray::from(vec![Some(-1), None]).with_timezone("America/New_York");
        let moments_of = |times| moments("x", &batch(Arc::new(times)), "t", Round::Later).unwrap();
        assert_eq!(moments_of(times), Int64Array::from(vec![Some(-1_000_000), None]));
        let far = batch(Arc::new(TimestampSecondArray::from(vec![0, i64::MAX])));
        let error = moments("x", &far, "t", Round::Later).unwrap_err().to_string();
        assert!(error.starts_with("row 1 of column \"t\" of x: 9223372036854775807 Seconds"), "{error}");
    }

    #[test]
    fn dates_are_refused_and_text_is_read_for_requests_only() {
        assert!(moments("x", &batch(Arc::new(Date32Array::from(vec![1]))), "t", Round::Later).is_err());
        let text = batch(Arc::new(StringArray::from(vec![Some("1970-01-01T01:00:01+01:00"), None])));
        assert!(moments("x", &text, "t", Round::Earlier).is_err());
        assert_eq!(moments_or_text("x", &text, "t").unwrap(), Int64Array::from(vec![Some(1_000_000), None]));
        let bad = batch(Arc::new(StringArray::from(vec!["soon"])));
        assert!(moments_or_text("x", &bad, "t").unwrap_err().to_string().contains("\"soon\" is not an instant"));
    }
}
