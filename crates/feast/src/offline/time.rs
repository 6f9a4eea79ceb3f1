//! The moments of an entity frame. As for Feast, a moment without a zone is UTC.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, make_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use bedplate_types::{ErrorKind, Problem};

use crate::error::FeastError;

/// What Feast calls the moment a row asks about.
const EVENT_TIMESTAMP: &str = "event_timestamp";
/// What pandas calls the index of a frame; it is no column of the frame.
const INDEX: &str = "__index_level_";

/// A frame's columns as they are joined: the moments in UTC, pandas' index left out.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub schema: SchemaRef,
    pub time_column: String,
    kept: Vec<usize>,
    time: usize,
}

impl Shape {
    /// # Errors
    /// When no column says the moments, or that of this name cannot.
    pub fn of(schema: &Schema) -> Result<Self, FeastError> {
        let time_column = time_column(schema)?.to_owned();
        let kept: Vec<usize> =
            (0..schema.fields().len()).filter(|at| !schema.field(*at).name().starts_with(INDEX)).collect();
        let mut fields: Vec<Arc<Field>> = kept.iter().map(|at| schema.fields()[*at].clone()).collect();
        let time = fields.iter().position(|field| *field.name() == time_column).unwrap_or_default();
        let moments = in_utc(fields[time].data_type()).ok_or(FeastError::NoMoments)?;
        fields[time] = Arc::new(Field::new(&time_column, moments, true));
        // What pandas noted of its own columns would not be true of the answer.
        Ok(Self { schema: Arc::new(Schema::new(fields)), time_column, kept, time })
    }

    /// # Errors
    /// When a moment is text that says none.
    pub fn put_in(&self, batch: &RecordBatch) -> Result<RecordBatch, Problem> {
        let wrong = |why: String| Problem::new(ErrorKind::Invalid, "the entity frame", why);
        let mut columns: Vec<ArrayRef> = self.kept.iter().map(|at| batch.column(*at).clone()).collect();
        let to = self.schema.field(self.time).data_type();
        columns[self.time] = moments(&columns[self.time], to)
            .map_err(|error| wrong(format!("column {:?} holds what is no moment: {error}", self.time_column)))?;
        RecordBatch::try_new(self.schema.clone(), columns).map_err(|error| wrong(error.to_string()))
    }
}

/// As Feast finds it: the column of this name, or the only one of moments.
fn time_column(schema: &Schema) -> Result<&str, FeastError> {
    if schema.column_with_name(EVENT_TIMESTAMP).is_some() {
        return Ok(EVENT_TIMESTAMP);
    }
    let fields = schema.fields().iter();
    let mut times = fields.filter(|field| matches!(field.data_type(), DataType::Timestamp(..)));
    match (times.next(), times.next()) {
        (Some(only), None) => Ok(only.name()),
        _ => Err(FeastError::NoMoments),
    }
}

fn in_utc(found: &DataType) -> Option<DataType> {
    let unit = match found {
        DataType::Timestamp(unit, _) => *unit,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => TimeUnit::Microsecond,
        _ => return None,
    };
    Some(DataType::Timestamp(unit, Some("UTC".into())))
}

fn moments(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let column = match (column.data_type(), to) {
        (DataType::Timestamp(..), _) => column.clone(),
        (_, DataType::Timestamp(unit, _)) => {
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            cast_with_options(column, &DataType::Timestamp(*unit, None), &strict)?
        }
        _ => column.clone(),
    };
    // An instant is the same in every zone: only what it is called changes.
    Ok(make_array(column.to_data().into_builder().data_type(to.clone()).build()?))
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array, StringArray, TimestampSecondArray};
    use arrow::datatypes::TimestampMicrosecondType;

    use super::*;

    fn shaped(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch, FeastError> {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        Ok(Shape::of(batch.schema_ref())?.put_in(&batch)?)
    }

    fn times(zone: Option<&str>) -> ArrayRef {
        Arc::new(TimestampSecondArray::from(vec![5]).with_timezone_opt(zone))
    }

    #[test]
    fn moments_are_in_utc_and_stay_the_same_instant() {
        for zone in [None, Some("UTC"), Some("+02:00"), Some("Europe/Berlin")] {
            let batch = shaped(vec![("event_timestamp", times(zone))]).unwrap();
            let wanted: ArrayRef = Arc::new(TimestampSecondArray::from(vec![5]).with_timezone("UTC"));
            assert_eq!(batch.column(0), &wanted, "{zone:?}");
        }
        let text: ArrayRef =
            Arc::new(StringArray::from(vec![Some("1970-01-01T00:00:05"), Some("1970-01-01 02:00:05+02:00"), None]));
        let batch = shaped(vec![("event_timestamp", text)]).unwrap();
        let found = batch.column(0).as_primitive::<TimestampMicrosecondType>();
        assert_eq!(found.iter().collect::<Vec<_>>(), [Some(5_000_000), Some(5_000_000), None]);
        let soon: ArrayRef = Arc::new(StringArray::from(vec!["soon"]));
        assert!(shaped(vec![("event_timestamp", soon)]).unwrap_err().to_string().contains("no moment"));
    }

    #[test]
    fn the_column_of_moments_is_named_or_the_only_one() {
        let number: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let index = ("__index_level_0__", number.clone());
        let batch = shaped(vec![("k", number.clone()), ("at", times(None)), index]).unwrap();
        let names: Vec<_> = batch.schema_ref().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names, ["k", "at"]);
        for columns in [
            vec![("k", number.clone())],
            vec![("a", times(None)), ("b", times(None))],
            vec![("event_timestamp", number.clone())],
        ] {
            assert!(matches!(shaped(columns), Err(FeastError::NoMoments)));
        }
    }
}
