//! Features over windows: what they are as of the time of each row, by the join that makes training sets.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, RecordBatch, TimestampMicrosecondArray};
use bedplate_features::{
    EntityKey, EntityRows, PointInTime, SourceRow, Spine, SpineShape, ViewDefinition, batches, key_columns,
};
use bedplate_kinds::Window;
use bedplate_sketches::RowSample;
use bedplate_types::Timestamp;

use crate::columns::Columns;
use crate::offline::lot;
use crate::{FeatureStatistics, SAMPLE, StatisticsError};

/// Rows that are held at most, and values in them.
const MOST_ROWS: usize = 250_000;
const MOST_VALUES: usize = 4_000_000;
/// No join key can be called so.
const MOMENT: &str = "its moment";

/// The rows that are needed for it, of all entities or of some.
pub struct Windowed {
    definition: Arc<ViewDefinition>,
    window: Window,
    positions: Vec<usize>,
    /// The rows before the window that its first moments look back on.
    from: i64,
    rows: EntityRows,
}

impl Windowed {
    /// `None` of a view without windows.
    pub fn of(definition: &Arc<ViewDefinition>, window: &Window) -> Option<Self> {
        let longest = definition.longest_window()?;
        // A row has its key and its times beside its values.
        let most = MOST_ROWS.min(MOST_VALUES / (definition.columns().len() + 4));
        let features = definition.features.iter().enumerate();
        Some(Self {
            positions: features.filter(|(_, feature)| feature.window.is_some()).map(|(at, _)| at).collect(),
            from: window.from.map_or(i64::MIN, |from| from.micros().saturating_sub(longest.micros())),
            rows: EntityRows::new(most.max(1)),
            definition: definition.clone(),
            window: window.clone(),
        })
    }

    /// Where these features are among the view's.
    pub fn positions(&self) -> &[usize] {
        &self.positions
    }

    pub fn take(&mut self, row: SourceRow) {
        let is_before_the_end = self.window.to.is_none_or(|to| row.time < to.micros());
        if row.time >= self.from && is_before_the_end {
            self.rows.take(row);
        }
    }

    /// One row of the features for each row of the window.
    pub fn finish(self) -> Result<(Vec<FeatureStatistics>, RowSample), StatisticsError> {
        let Self { definition, window, positions, rows, .. } = self;
        let names = positions.iter().map(|at| definition.features[*at].name.clone()).collect();
        let (mut columns, is_all) = (Columns::new(names, SAMPLE), rows.is_all());
        let rows = rows.into_rows();
        let asked: Vec<&SourceRow> =
            rows.iter().filter(|row| window.contains(Timestamp::from_micros(row.time))).collect();
        if !asked.is_empty() {
            let joined = joined(&definition, &rows, &asked)?;
            let mut values = Vec::with_capacity(positions.len());
            for (at, row) in asked.iter().enumerate() {
                values.clear();
                values.extend(positions.iter().map(|feature| value(&joined[*feature], at)));
                columns.take(lot(row), &values)?;
            }
        }
        Ok(columns.finish(!is_all)?)
    }
}

/// Every feature as of each asked row's time.
fn joined(
    definition: &Arc<ViewDefinition>,
    rows: &[SourceRow],
    asked: &[&SourceRow],
) -> Result<Vec<Float64Array>, StatisticsError> {
    let keys: Vec<&EntityKey> = asked.iter().map(|row| &row.key).collect();
    let moments: TimestampMicrosecondArray = asked.iter().map(|row| Some(row.time)).collect();
    let mut columns = key_columns(&definition.join_keys, &keys)?;
    columns.push((MOMENT.to_owned(), Arc::new(moments) as ArrayRef));
    let labels = RecordBatch::try_from_iter(columns)?;
    let spine = Arc::new(Spine::new(&SpineShape::of(definition), &labels, MOMENT)?);
    let mut join = PointInTime::new(definition.clone(), spine);
    for batch in batches(definition, rows)? {
        join.take(&batch)?;
    }
    Ok(join.finish())
}

fn value(column: &Float64Array, row: usize) -> f64 {
    if column.is_valid(row) { column.value(row) } else { f64::NAN }
}
