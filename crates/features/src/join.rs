//! The point-in-time join: for each label row the features as they were known at its moment.

use arrow::array::{Float64Array, Float64Builder, RecordBatch};
use bedplate_types::Timestamp;

use crate::history::{HistoryRef, values_into};
use crate::key::KeyColumns;
use crate::moment::{Round, moments};
use crate::{FeatureError, Timeline, ViewDefinition};

/// One array per feature in the view's order, each exactly as long as `spine`, in its order.
///
/// The spine has the join keys as columns (any string type, any width of whole number) and `time_column`, the moment each
/// row asks about. Rows are found by hashing the entity and then by binary search in its times, so neither side is sorted
/// again and no label row can be dropped: an unknown entity, a null key or a null time is an entity without rows.
///
/// # Errors
/// When a key column or the time column is missing or has a type that cannot be used.
pub fn point_in_time(
    def: &ViewDefinition,
    timeline: &Timeline,
    spine: &RecordBatch,
    time_column: &str,
) -> Result<Vec<Float64Array>, FeatureError> {
    let keys = KeyColumns::new("the label rows", &def.join_keys, spine)?;
    let times = moments("the label rows", spine, time_column, Round::Earlier)?;
    let stored = def.columns();
    let columns: Vec<usize> = def.features.iter().filter_map(|f| stored.iter().position(|c| *c == f.column)).collect();
    let mut made: Vec<_> = def.features.iter().map(|_| Float64Builder::with_capacity(spine.num_rows())).collect();
    for (row, time) in times.into_iter().enumerate() {
        let moment = moment_of(def, time);
        let key = moment.and_then(|_| keys.key(row));
        let rows: HistoryRef<'_, Vec<f64>> = timeline.of(key.as_ref());
        let at = Timestamp::from_micros(moment.unwrap_or(i64::MIN));
        values_into(def, &columns, &rows, at, |feature, value| made[feature].append_option(value));
    }
    Ok(made.iter_mut().map(Float64Builder::finish).collect())
}

/// The moment a label row asks about; a view without a time answers alike at every moment, even at none.
fn moment_of(def: &ViewDefinition, time: Option<i64>) -> Option<i64> {
    if def.timestamp.is_none() { Some(time.unwrap_or(i64::MAX)) } else { time }
}
