//! The one definition of a feature's value at a moment, over one entity's rows.

use bedplate_kinds::Aggregate;
use bedplate_types::{Span, Timestamp};

use crate::number::tidy;
use crate::{FeatureDef, ViewDefinition};

/// One entity's rows, column by column: times in order, and for each stored column its numbers, NaN where null.
#[derive(Clone, Debug, Default)]
pub struct History {
    times: Vec<i64>,
    columns: Vec<Vec<f64>>,
}

/// A stretch of rows of one entity, borrowed from where they are kept.
#[derive(Clone, Copy, Debug)]
pub struct HistoryRef<'a, C> {
    pub times: &'a [i64],
    /// As many as [`ViewDefinition::columns`], each at least `from + times.len()` long.
    pub columns: &'a [C],
    /// Where in the columns the first of `times` is.
    pub from: usize,
}

impl History {
    /// No rows yet, of so many columns.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        Self { times: Vec::new(), columns: vec![Vec::new(); columns] }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// How many values each row has.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Adds a row that does not come before the ones already here; a missing value is null, one too many is ignored.
    pub fn push(&mut self, time: i64, values: &[Option<f64>]) {
        self.times.push(time);
        for (i, column) in self.columns.iter_mut().enumerate() {
            column.push(values.get(i).copied().flatten().and_then(tidy).unwrap_or(f64::NAN));
        }
    }

    /// The same of values that are NaN where null, as many as the columns.
    pub(crate) fn push_numbers(&mut self, time: i64, values: &[f64]) {
        self.times.push(time);
        self.columns.iter_mut().zip(values).for_each(|(column, value)| column.push(*value));
    }

    pub(crate) fn clear(&mut self) {
        self.times.clear();
        self.columns.iter_mut().for_each(Vec::clear);
    }

    /// The rows from `start` up to `end`.
    #[must_use]
    pub fn slice(&self, start: usize, end: usize) -> HistoryRef<'_, Vec<f64>> {
        HistoryRef { times: &self.times[start..end], columns: &self.columns, from: start }
    }

    #[must_use]
    pub fn all(&self) -> HistoryRef<'_, Vec<f64>> {
        self.slice(0, self.len())
    }
}

/// The view's features at moment `at`, in its order, from one entity's rows.
///
/// `rows` are in chronological order, oldest first and ties by identity, and reach back at least to the view's horizon.
/// Rows known after `at` are left out here, whoever calls. Costs a binary search and the rows of the longest window.
#[must_use]
pub fn value_at(def: &ViewDefinition, rows: &[(i64, &[Option<f64>])], at: Timestamp) -> Vec<Option<f64>> {
    let mut history = History::new(def.columns().len());
    for (time, values) in rows {
        history.push(*time, values);
    }
    values(def, &history.all(), at)
}

/// [`value_at`] over rows kept column by column.
#[must_use]
pub fn values<C: AsRef<[f64]>>(def: &ViewDefinition, rows: &HistoryRef<'_, C>, at: Timestamp) -> Vec<Option<f64>> {
    values_of(def, &def.positions(), rows, at)
}

/// [`values`] for many moments: `positions` are the definition's own, worked out once.
#[must_use]
pub fn values_of<C: AsRef<[f64]>>(
    def: &ViewDefinition,
    positions: &[usize],
    rows: &HistoryRef<'_, C>,
    at: Timestamp,
) -> Vec<Option<f64>> {
    let mut values = Vec::with_capacity(positions.len());
    values_into(def, positions, rows, at, |_, value| values.push(value));
    values
}

/// [`values_of`] for who has a place for them: `emit` takes each feature's position and value.
pub fn values_into<C: AsRef<[f64]>>(
    def: &ViewDefinition,
    positions: &[usize],
    rows: &HistoryRef<'_, C>,
    at: Timestamp,
    mut emit: impl FnMut(usize, Option<f64>),
) {
    let known = rows.times.partition_point(|time| *time <= at.micros());
    let alive = first_alive(def, rows.times, known, at);
    for (i, (feature, column)) in def.features.iter().zip(positions).enumerate() {
        let start = alive.max(first_in_window(feature.window, rows.times, known, at));
        let column = &rows.columns[*column].as_ref()[rows.from + start..rows.from + known];
        emit(i, aggregate(feature, column));
    }
}

/// The first row the TTL leaves usable: `at - time <= ttl`.
fn first_alive(def: &ViewDefinition, times: &[i64], known: usize, at: Timestamp) -> usize {
    let Some(ttl) = def.ttl else { return 0 };
    let oldest = at.micros().saturating_sub(ttl.micros());
    times[..known].partition_point(|time| *time < oldest)
}

/// The first row within the window: `at - window < time`.
fn first_in_window(window: Option<Span>, times: &[i64], known: usize, at: Timestamp) -> usize {
    // A window that reaches back before the first instant holds every row.
    let Some(edge) = window.and_then(|window| at.micros().checked_sub(window.micros())) else { return 0 };
    times[..known].partition_point(|time| *time <= edge)
}

fn aggregate(feature: &FeatureDef, values: &[f64]) -> Option<f64> {
    let present = || values.iter().copied().filter(|value| !value.is_nan());
    match feature.aggregate {
        Aggregate::Last => values.last().copied().and_then(tidy),
        Aggregate::Count => Some(count(values)),
        Aggregate::Sum => sum(values).map(|(sum, _)| sum),
        Aggregate::Mean => sum(values).map(|(sum, count)| sum / count),
        Aggregate::Min => present().reduce(f64::min),
        Aggregate::Max => present().reduce(f64::max),
    }
    // Infinities of both signs in one window add up to NaN, which is missing like any other.
    .and_then(tidy)
}

#[expect(clippy::cast_precision_loss, reason = "a window holds far fewer than 2^53 rows")]
fn count(values: &[f64]) -> f64 {
    values.iter().filter(|value| !value.is_nan()).count() as f64
}

/// The sum, added strictly in order so that it is the same wherever it is made, and how many values it has.
fn sum(values: &[f64]) -> Option<(f64, f64)> {
    let count = count(values);
    let sum = values.iter().fold(0.0, |sum, value| sum + if value.is_nan() { 0.0 } else { *value });
    (count > 0.0).then_some((sum, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(ttl: Option<i64>, features: &[(Aggregate, Option<i64>)]) -> ViewDefinition {
        let feature = |(aggregate, window): &(Aggregate, Option<i64>)| FeatureDef {
            name: format!("{aggregate:?}"),
            column: "x".into(),
            aggregate: *aggregate,
            window: window.map(Span::from_micros),
        };
        ViewDefinition {
            name: "v".into(),
            join_keys: Vec::new(),
            timestamp: Some("t".into()),
            ttl: ttl.map(Span::from_micros),
            features: features.iter().map(feature).collect(),
        }
    }

    fn at(def: &ViewDefinition, rows: &[(i64, Option<f64>)], at: i64) -> Vec<Option<f64>> {
        let cells: Vec<[Option<f64>; 1]> = rows.iter().map(|(_, value)| [*value]).collect();
        let rows: Vec<_> = rows.iter().zip(&cells).map(|((time, _), cell)| (*time, cell.as_slice())).collect();
        value_at(def, &rows, Timestamp::from_micros(at))
    }

    #[test]
    fn a_row_is_known_from_its_time_on_until_the_ttl_inclusive() {
        let def = view(Some(10), &[(Aggregate::Last, None)]);
        let rows = [(5, Some(1.0))];
        assert_eq!(at(&def, &rows, 4), [None]);
        assert_eq!(at(&def, &rows, 5), [Some(1.0)]);
        assert_eq!(at(&def, &rows, 15), [Some(1.0)]);
        assert_eq!(at(&def, &rows, 16), [None]);
    }

    #[test]
    fn a_window_leaves_out_its_far_edge() {
        let def = view(None, &[(Aggregate::Sum, Some(10)), (Aggregate::Count, Some(10))]);
        let rows = [(0, Some(1.0)), (10, Some(2.0)), (11, Some(4.0))];
        assert_eq!(at(&def, &rows, 9), [Some(1.0), Some(1.0)]);
        assert_eq!(at(&def, &rows, 10), [Some(2.0), Some(1.0)]);
        assert_eq!(at(&def, &rows, 40), [None, Some(0.0)]);
    }

    #[test]
    fn a_ttl_shorter_than_the_window_cuts_it() {
        let def = view(Some(3), &[(Aggregate::Sum, Some(10))]);
        assert_eq!(at(&def, &[(4, Some(1.0)), (7, Some(2.0))], 10), [Some(2.0)]);
    }

    #[test]
    fn last_keeps_null_and_aggregates_leave_it_out() {
        let aggregates =
            [Aggregate::Mean, Aggregate::Sum, Aggregate::Count, Aggregate::Min, Aggregate::Max].map(|a| (a, Some(100)));
        let def = view(None, &[[(Aggregate::Last, None)].as_slice(), &aggregates].concat());
        let rows = [(1, Some(-4.0)), (2, Some(6.0)), (3, None)];
        assert_eq!(at(&def, &rows, 3), [None, Some(1.0), Some(2.0), Some(2.0), Some(-4.0), Some(6.0)]);
        assert_eq!(at(&def, &[], 3), [None, None, None, Some(0.0), None, None]);
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let def = view(Some(i64::MAX), &[(Aggregate::Last, None), (Aggregate::Sum, Some(i64::MAX))]);
        assert_eq!(at(&def, &[(i64::MIN, Some(1.0))], i64::MIN), [Some(1.0), Some(1.0)]);
        assert_eq!(at(&def, &[(i64::MIN, Some(1.0))], i64::MAX), [None, None]);
        assert_eq!(at(&def, &[(1, Some(1.0))], i64::MAX), [Some(1.0), Some(1.0)]);
    }
}
