//! Rows of a view's source: an entity, the moment the row became known, and its values.

use std::cmp::Ordering;

use arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Int64Type};

use crate::key::{KeyColumns, cast_exactly, is_string, push_int, push_text, text_column, wrong_type};
use crate::moment::{Round, moments};
use crate::number::{number_column, numbers_of, tidied};
use crate::packed::pack_into;
use crate::{EntityKey, FeatureError, ViewDefinition};

/// A source column of this name tells rows of one entity and time apart.
pub const ROW_ID_COLUMN: &str = "row_id";

/// What the source calls a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowId {
    Int(i64),
    Text(String),
}

/// One row of a view's source.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceRow {
    pub key: EntityKey,
    /// Microseconds since 1970 when the row became known; `i64::MIN` in views without a time.
    pub time: i64,
    /// Microseconds since 1970 when it was written, `i64::MIN` when that is not known; `None` in views without such a column.
    pub created: Option<i64>,
    pub id: Option<RowId>,
    /// In the order of [`ViewDefinition::columns`].
    pub values: Vec<Option<f64>>,
}

/// How many rows of a source can be used, and why the others cannot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowsReport {
    pub kept: usize,
    /// Rows of no entity: some join key is null.
    pub null_keys: usize,
    /// Rows known at no moment: the time is null.
    pub null_times: usize,
}

impl std::ops::AddAssign for RowsReport {
    fn add_assign(&mut self, other: Self) {
        self.kept += other.kept;
        self.null_keys += other.null_keys;
        self.null_times += other.null_times;
    }
}

impl SourceRow {
    /// What tells this row from others of its entity and time: its id, or else its packed values.
    #[must_use]
    pub fn identity(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write_identity(&mut bytes);
        bytes
    }

    /// The same at the end of what `bytes` holds.
    pub fn write_identity(&self, bytes: &mut Vec<u8>) {
        match &self.id {
            Some(id) => push_id(bytes, id),
            None => {
                bytes.push(b'v');
                pack_into(&self.values, bytes);
            }
        }
    }

    /// The order of rows: entity, time, identity. Equal means that only one of the two is kept.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        (&self.key, self.time).cmp(&(&other.key, other.time)).then_with(|| self.identity().cmp(&other.identity()))
    }
}

fn id_bytes(id: &RowId) -> Vec<u8> {
    let mut bytes = Vec::new();
    push_id(&mut bytes, id);
    bytes
}

fn push_id(bytes: &mut Vec<u8>, id: &RowId) {
    match id {
        RowId::Int(id) => push_int(bytes, *id),
        RowId::Text(id) => push_text(bytes, id),
    }
}

/// The usable rows of a batch; see [`rows_reported`].
///
/// # Errors
/// When a column is missing or has a type that cannot be used.
pub fn rows(def: &ViewDefinition, batch: &RecordBatch) -> Result<Vec<SourceRow>, FeatureError> {
    rows_reported(def, batch).map(|(rows, _)| rows)
}

/// The usable rows of a batch in its order, and how many were not usable. Numbers and booleans become `f64`.
///
/// # Errors
/// When a column is missing or has a type that cannot be used.
pub fn rows_reported(def: &ViewDefinition, batch: &RecordBatch) -> Result<(Vec<SourceRow>, RowsReport), FeatureError> {
    let columns = SourceColumns::new(def, batch)?;
    let mut rows = Vec::with_capacity(batch.num_rows());
    let mut report = RowsReport::default();
    for row in 0..batch.num_rows() {
        if let Some(time) = columns.usable(row, &mut report)
            && let Some(key) = columns.keys.key(row)
        {
            rows.push(columns.row(row, key, time));
        }
    }
    Ok((rows, report))
}

/// [`SourceRow::order`] of two rows of one entity and time, from their ids and their values, NaN where null: equal where
/// only one of the two is kept. Makes no bytes where there are no ids.
pub(crate) fn identity_order(a: (Option<&RowId>, &[f64]), b: (Option<&RowId>, &[f64])) -> Ordering {
    match (a.0, b.0) {
        (None, None) => value_order(a.1, b.1),
        (Some(a_id), Some(b_id)) => id_bytes(a_id).cmp(&id_bytes(b_id)),
        // 'i' and 's' come before 'v'.
        (a_id, _) => {
            if a_id.is_some() {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
    }
}

/// The order of packed values: from left to right, null (NaN) before any number.
pub(crate) fn value_order(a: &[f64], b: &[f64]) -> Ordering {
    let rank = |value: f64| (!value.is_nan(), value);
    let pairs = a.iter().zip(b).map(|(a, b)| rank(*a).partial_cmp(&rank(*b)).unwrap_or(Ordering::Equal));
    pairs.fold(Ordering::Equal, Ordering::then)
}

/// The columns of a batch that a view reads, cast once.
pub(crate) struct SourceColumns {
    keys: KeyColumns,
    times: Int64Array,
    /// `i64::MIN` where null; empty where the view has no such column.
    created: Vec<i64>,
    ids: IdColumn,
    /// NaN where null.
    values: Vec<ScalarBuffer<f64>>,
}

impl SourceColumns {
    pub(crate) fn new(def: &ViewDefinition, batch: &RecordBatch) -> Result<Self, FeatureError> {
        let of = format!("the source of feature view {:?}", def.name);
        let times = match &def.timestamp {
            Some(column) => moments(&of, batch, column, Round::Later)?,
            None => Int64Array::from_value(i64::MIN, batch.num_rows()),
        };
        let created = match &def.created {
            Some(column) => moments(&of, batch, column, Round::Later)?,
            None => Int64Array::new_null(0),
        };
        let created = created.iter().map(|moment| moment.unwrap_or(i64::MIN)).collect();
        let numbers = |column: &&str| number_column(&of, batch, column).map(|column| numbers_of(&column));
        let values = def.columns().iter().map(numbers).collect::<Result<_, _>>()?;
        let (keys, ids) = (KeyColumns::new(&of, &def.join_keys, batch)?, IdColumn::new(&of, batch)?);
        Ok(Self { keys, times, created, ids, values })
    }

    pub(crate) fn keys(&self) -> &KeyColumns {
        &self.keys
    }

    /// The time of a row that has an entity and a time; the others are counted in `report`, and so is this one.
    pub(crate) fn usable(&self, row: usize, report: &mut RowsReport) -> Option<i64> {
        let time = self.times.is_valid(row).then(|| self.times.value(row));
        match (self.keys.is_null(row), time) {
            (true, _) => report.null_keys += 1,
            (false, None) => report.null_times += 1,
            (false, Some(_)) => report.kept += 1,
        }
        time.filter(|_| !self.keys.is_null(row))
    }

    /// Whether no row is without an entity or a time.
    pub(crate) fn all_usable(&self) -> bool {
        self.times.null_count() == 0 && self.keys.has_no_nulls()
    }

    pub(crate) fn time(&self, row: usize) -> i64 {
        self.times.value(row)
    }

    /// A row's values, NaN where null.
    pub(crate) fn numbers(&self, row: usize) -> impl Iterator<Item = f64> {
        self.values.iter().map(move |column| tidied(column[row]))
    }

    pub(crate) fn has_ids(&self) -> bool {
        !matches!(self.ids, IdColumn::Absent)
    }

    /// When a row was written; `None` in views without such a column.
    pub(crate) fn created(&self, row: usize) -> Option<i64> {
        self.created.get(row).copied()
    }

    pub(crate) fn has_created(&self) -> bool {
        !self.created.is_empty()
    }

    pub(crate) fn id(&self, row: usize) -> Option<RowId> {
        self.ids.id(row)
    }

    fn row(&self, row: usize, key: EntityKey, time: i64) -> SourceRow {
        let values = self.numbers(row).map(|value| (!value.is_nan()).then_some(value)).collect();
        SourceRow { key, time, created: self.created(row), id: self.ids.id(row), values }
    }
}

enum IdColumn {
    Absent,
    Int(Int64Array),
    Text(StringArray),
}

impl IdColumn {
    fn new(of: &str, batch: &RecordBatch) -> Result<Self, FeatureError> {
        const WANTED: &str = "a string or a whole number";
        match batch.column_by_name(ROW_ID_COLUMN) {
            None => Ok(Self::Absent),
            Some(column) if is_string(column.data_type()) => text_column(of, ROW_ID_COLUMN, column).map(Self::Text),
            Some(column) if column.data_type().is_integer() => {
                let cast = cast_exactly(of, ROW_ID_COLUMN, column, &DataType::Int64, WANTED)?;
                Ok(Self::Int(cast.as_primitive::<Int64Type>().clone()))
            }
            Some(column) => Err(wrong_type(of, ROW_ID_COLUMN, column, WANTED)),
        }
    }

    fn id(&self, row: usize) -> Option<RowId> {
        match self {
            Self::Int(ids) if ids.is_valid(row) => Some(RowId::Int(ids.value(row))),
            Self::Text(ids) if ids.is_valid(row) => Some(RowId::Text(ids.value(row).to_owned())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, TimestampMicrosecondArray};
    use bedplate_kinds::{Aggregate, ColumnType, JoinKey};

    use super::*;
    use crate::FeatureDef;

    fn planes() -> ViewDefinition {
        let delay = FeatureDef {
            name: "d".into(),
            column: "delay".into(),
            aggregate: Aggregate::Last,
            window: None,
            quantile: None,
        };
        ViewDefinition {
            name: "planes".into(),
            join_keys: vec![JoinKey { name: "tail".into(), type_: ColumnType::String }],
            timestamp: Some("at".into()),
            created: None,
            ttl: None,
            features: vec![delay],
        }
    }

    fn batch(ids: Option<ArrayRef>) -> RecordBatch {
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("tail", Arc::new(StringArray::from(vec![Some("N1"), None, Some("N3")]))),
            ("at", Arc::new(TimestampMicrosecondArray::from(vec![Some(5), Some(6), None]))),
            ("delay", Arc::new(Float64Array::from(vec![1.5, 2.0, 3.0]))),
        ];
        columns.extend(ids.map(|ids| (ROW_ID_COLUMN, ids)));
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
            .unwrap()
    }

    #[test]
    fn rows_of_no_entity_or_no_time_are_counted() {
        let (rows, report) = rows_reported(&planes(), &batch(None)).unwrap();
        assert_eq!(report, RowsReport { kept: 1, null_keys: 1, null_times: 1 });
        assert_eq!((rows[0].time, &rows[0].id, &rows[0].values), (5, &None, &vec![Some(1.5)]));
    }

    #[test]
    fn without_a_time_every_row_was_always_known() {
        let timeless = ViewDefinition { timestamp: None, ..planes() };
        assert_eq!(rows(&timeless, &batch(None)).unwrap().iter().map(|row| row.time).max(), Some(i64::MIN));
    }

    #[test]
    fn a_row_id_is_the_identity_and_other_types_are_refused() {
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![7, 8, 9]));
        assert_eq!(rows(&planes(), &batch(Some(ids))).unwrap()[0].id, Some(RowId::Int(7)));
        let ids: ArrayRef = Arc::new(StringArray::from(vec![None, Some("b"), Some("c")]));
        assert_eq!(rows(&planes(), &batch(Some(ids))).unwrap()[0].id, None);
        let error = rows(&planes(), &batch(Some(Arc::new(Float64Array::from(vec![1.0; 3]))))).unwrap_err();
        assert!(error.to_string().contains("\"row_id\""), "{error}");
    }
}
