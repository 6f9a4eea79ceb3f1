//! A view's rows in memory, sorted by entity, time and identity, each row once.

use std::collections::HashMap;
use std::ops::Range;

use arrow::array::RecordBatch;

use crate::history::{History, HistoryRef};
use crate::packed::pack;
use crate::{EntityKey, FeatureError, RowsReport, SourceRow, ViewDefinition, rows_reported};

/// Every usable row of a view's source; costs about 8 bytes a value and a time.
#[derive(Debug)]
pub struct Timeline {
    entities: HashMap<EntityKey, Range<usize>>,
    history: History,
    report: RowsReport,
}

impl Timeline {
    /// Rows of `batches` in any order.
    ///
    /// # Errors
    /// When a column is missing or has a type that cannot be used.
    pub fn build(def: &ViewDefinition, batches: &[RecordBatch]) -> Result<Self, FeatureError> {
        let mut all = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
        let mut report = RowsReport::default();
        for batch in batches {
            let (rows, of_batch) = rows_reported(def, batch)?;
            all.extend(rows);
            report += of_batch;
        }
        Ok(Self { report, ..Self::from_rows(def, all) })
    }

    /// The same from rows already made.
    #[must_use]
    pub fn from_rows(def: &ViewDefinition, mut rows: Vec<SourceRow>) -> Self {
        let report = RowsReport { kept: rows.len(), ..RowsReport::default() };
        rows.sort_unstable_by(|a, b| a.order(b).then_with(|| greater_first(a, b)));
        rows.dedup_by(|later, earlier| later.order(earlier).is_eq());
        let mut history = History::new(def.columns().len());
        let mut entities: HashMap<EntityKey, Range<usize>> = HashMap::new();
        for (i, row) in rows.into_iter().enumerate() {
            history.push(row.time, &row.values);
            entities.entry(row.key).and_modify(|range| range.end = i + 1).or_insert(i..i + 1);
        }
        Self { entities, history, report }
    }

    /// What was read, before identical rows collapsed.
    #[must_use]
    pub fn report(&self) -> RowsReport {
        self.report
    }

    /// Distinct rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.history.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.history.is_empty()
    }

    #[must_use]
    pub fn entities(&self) -> usize {
        self.entities.len()
    }

    /// One entity's rows, oldest first; none when it is not known.
    #[must_use]
    pub fn of(&self, key: Option<&EntityKey>) -> HistoryRef<'_, Vec<f64>> {
        let range = key.and_then(|key| self.entities.get(key)).cloned().unwrap_or(0..0);
        self.history.slice(range.start, range.end)
    }
}

/// Of rows with one identity the one with the greatest values comes first, and stays.
fn greater_first(a: &SourceRow, b: &SourceRow) -> std::cmp::Ordering {
    pack(&b.values).cmp(&pack(&a.values))
}

#[cfg(test)]
mod tests {
    use bedplate_kinds::{Aggregate, ColumnType, JoinKey};
    use bedplate_types::{Span, Timestamp};

    use super::*;
    use crate::{FeatureDef, KeyValue, RowId, values};

    fn sums() -> ViewDefinition {
        let window = Some(Span::from_micros(100));
        ViewDefinition {
            name: "v".into(),
            join_keys: vec![JoinKey { name: "k".into(), type_: ColumnType::Int64 }],
            timestamp: Some("t".into()),
            ttl: None,
            features: vec![FeatureDef { name: "s".into(), column: "x".into(), aggregate: Aggregate::Sum, window }],
        }
    }

    fn sum(rows: &[(Option<i64>, f64)]) -> Option<f64> {
        let key = EntityKey::from_values(&sums().join_keys, &[KeyValue::Int(1)]).unwrap().unwrap();
        let row = |(id, value): &(Option<i64>, f64)| SourceRow {
            key: key.clone(),
            time: 1,
            id: id.map(RowId::Int),
            values: vec![Some(*value)],
        };
        let timeline = Timeline::from_rows(&sums(), rows.iter().map(row).collect());
        values(&sums(), &timeline.of(Some(&key)), Timestamp::from_micros(1))[0]
    }

    #[test]
    fn identical_rows_collapse_unless_an_id_tells_them_apart() {
        assert_eq!(sum(&[(None, 5.0), (None, 5.0)]), Some(5.0));
        assert_eq!(sum(&[(Some(1), 5.0), (Some(2), 5.0)]), Some(10.0));
    }

    #[test]
    fn of_two_rows_with_one_id_the_greater_stays_in_either_order() {
        assert_eq!(sum(&[(Some(1), 5.0), (Some(1), -7.0)]), Some(5.0));
        assert_eq!(sum(&[(Some(1), -7.0), (Some(1), 5.0)]), Some(5.0));
    }
}
