//! The one definition of a feature's value at a moment, over one entity's rows.

use std::ops::Range;

use bedplate_kinds::Aggregate;
use bedplate_sketches::{Distinct, Quantiles};
use bedplate_types::{Span, Timestamp};

use crate::number::tidy;
use crate::tiles::{Extremes, Lane, Moments, Sums, Tiles, shift};
use crate::{FeatureDef, ViewDefinition};

/// One entity's rows, column by column: times in order, and for each stored column its numbers, NaN where null.
#[derive(Clone, Debug, Default)]
pub struct History {
    times: Vec<i64>,
    columns: Vec<Vec<f64>>,
    tiles: Option<Tiles>,
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
        Self { times: Vec::new(), columns: vec![Vec::new(); columns], tiles: None }
    }

    /// The same, with what the view's windows share of their rows kept up to date at each push. Worth it where the rows are
    /// asked about more than once: values are the same without.
    #[must_use]
    pub fn tiled(def: &ViewDefinition) -> Self {
        let tiles = Tiles::of(def, &def.positions());
        Self { tiles: Some(tiles), ..Self::new(def.columns().len()) }
    }

    /// What it holds, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let rows = self.len() * (1 + self.columns.len()) * size_of::<f64>();
        rows + self.tiles.as_ref().map_or(0, Tiles::bytes)
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
        self.tile();
    }

    /// The same of values that are NaN where null, as many as the columns.
    pub(crate) fn push_numbers(&mut self, time: i64, values: &[f64]) {
        self.times.push(time);
        self.columns.iter_mut().zip(values).for_each(|(column, value)| column.push(*value));
        self.tile();
    }

    fn tile(&mut self) {
        if let Some(tiles) = &mut self.tiles {
            tiles.push(&self.times, &self.columns);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.times.clear();
        self.tiles.iter_mut().for_each(Tiles::clear);
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

    /// [`values_of`] these rows, by their tiles where they are kept.
    #[must_use]
    pub fn values_of(&self, def: &ViewDefinition, positions: &[usize], at: Timestamp) -> Vec<Option<f64>> {
        let mut values = Vec::with_capacity(positions.len());
        self.values_into(def, positions, at, |_, value| values.push(value));
        values
    }

    /// [`values_into`] of these rows, by their tiles where they are kept.
    pub fn values_into(
        &self,
        def: &ViewDefinition,
        positions: &[usize],
        at: Timestamp,
        emit: impl FnMut(usize, Option<f64>),
    ) {
        made((def, positions), &self.all(), self.tiles.as_ref(), at, emit);
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
pub(crate) fn values_into<C: AsRef<[f64]>>(
    def: &ViewDefinition,
    positions: &[usize],
    rows: &HistoryRef<'_, C>,
    at: Timestamp,
    emit: impl FnMut(usize, Option<f64>),
) {
    made((def, positions), rows, None, at, emit);
}

/// [`values_into`] of a single row, NaN where null.
pub fn values_of_row(
    def: &ViewDefinition,
    positions: &[usize],
    (time, values): (i64, &[f64]),
    at: Timestamp,
    mut emit: impl FnMut(usize, Option<f64>),
) {
    if def.features.iter().any(|feature| feature.aggregate != Aggregate::Last || feature.window.is_some()) {
        let row = HistoryRef { times: &[time], columns: values.as_chunks::<1>().0, from: 0 };
        return values_into(def, positions, &row, at, emit);
    }
    let is_usable = time <= at.micros() && first_alive(def, &[time], 1, at) == 0;
    for (i, column) in positions.iter().enumerate() {
        emit(i, Some(values[*column]).filter(|_| is_usable).and_then(tidy));
    }
}

fn made<C: AsRef<[f64]>>(
    (def, positions): (&ViewDefinition, &[usize]),
    rows: &HistoryRef<'_, C>,
    tiles: Option<&Tiles>,
    at: Timestamp,
    mut emit: impl FnMut(usize, Option<f64>),
) {
    let known = rows.times.partition_point(|time| *time <= at.micros());
    let alive = first_alive(def, rows.times, known, at);
    for (i, (feature, column)) in def.features.iter().zip(positions).enumerate() {
        let start = alive.max(first_in_window(feature.window, rows.times, known, at));
        let values = &rows.columns[*column].as_ref()[rows.from..rows.from + rows.times.len()];
        emit(i, aggregate(feature, Lane { times: rows.times, values, tiles, column: *column }, start..known));
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

fn aggregate(feature: &FeatureDef, rows: Lane<'_>, range: Range<usize>) -> Option<f64> {
    let shift = shift(feature.window);
    match feature.aggregate {
        Aggregate::Last => rows.values[range].last().copied(),
        Aggregate::Count => Some(rows.fold::<Sums>(shift, range).count),
        Aggregate::Sum => sum(&rows, shift, range).map(|sums| sums.sum),
        Aggregate::Mean => sum(&rows, shift, range).map(|sums| sums.sum / sums.count),
        Aggregate::Min => Some(rows.fold::<Extremes>(shift, range).least),
        Aggregate::Max => Some(rows.fold::<Extremes>(shift, range).greatest),
        Aggregate::Std => rows.fold::<Moments>(shift, range).deviation(),
        Aggregate::Distinct => Some(rows.fold::<Distinct>(shift, range).estimate()),
        Aggregate::Quantile => rows.fold::<Quantiles>(shift, range).quantile(feature.quantile?),
    }
    // Infinities of both signs in one window add up to NaN, which is missing like any other.
    .and_then(tidy)
}

fn sum(rows: &Lane<'_>, shift: u32, range: Range<usize>) -> Option<Sums> {
    Some(rows.fold::<Sums>(shift, range)).filter(|sums| sums.count > 0.0)
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
            quantile: (*aggregate == Aggregate::Quantile).then_some(0.5),
        };
        ViewDefinition {
            name: "v".into(),
            join_keys: Vec::new(),
            timestamp: Some("t".into()),
            created: None,
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
    fn a_single_row_is_taken_as_one_of_many() {
        let aggregates = [&[(Aggregate::Last, None)][..], &[(Aggregate::Last, Some(8)), (Aggregate::Count, Some(8))]];
        let views = aggregates.iter().flat_map(|of| [None, Some(10)].map(|ttl| view(ttl, of)));
        for def in views {
            for (time, moment) in [(5, 4), (5, 5), (5, 13), (5, 15), (5, 16), (i64::MIN, 0), (i64::MIN, i64::MAX)] {
                for value in [1.0, f64::NAN] {
                    let mut made = vec![None; def.features.len()];
                    let asked = Timestamp::from_micros(moment);
                    values_of_row(&def, &def.positions(), (time, &[value]), asked, |i, value| made[i] = value);
                    assert_eq!(made, at(&def, &[(time, tidy(value))], moment), "{time} {moment} {def:?}");
                }
            }
        }
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
        use Aggregate::{Count, Distinct, Max, Mean, Min, Quantile, Std, Sum};
        let aggregates = [Mean, Sum, Count, Min, Max, Std, Distinct, Quantile].map(|a| (a, Some(100)));
        let def = view(None, &[[(Aggregate::Last, None)].as_slice(), &aggregates].concat());
        let rows = [(1, Some(-4.0)), (2, Some(6.0)), (3, None)];
        let found = at(&def, &rows, 3);
        assert_eq!(found[..6], [None, Some(1.0), Some(2.0), Some(2.0), Some(-4.0), Some(6.0)]);
        assert_eq!(found[6..], [Some(50_f64.sqrt()), Some(2.0), Some(-4.0)]);
        assert_eq!(at(&def, &rows[..1], 3)[6..], [None, Some(1.0), Some(-4.0)]);
        let nothing = at(&def, &[], 3);
        assert_eq!(nothing[..6], [None, None, None, Some(0.0), None, None]);
        assert_eq!(nothing[6..], [None, Some(0.0), None]);
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let def = view(Some(i64::MAX), &[(Aggregate::Last, None), (Aggregate::Sum, Some(i64::MAX))]);
        assert_eq!(at(&def, &[(i64::MIN, Some(1.0))], i64::MIN), [Some(1.0), Some(1.0)]);
        assert_eq!(at(&def, &[(i64::MIN, Some(1.0))], i64::MAX), [None, None]);
        assert_eq!(at(&def, &[(1, Some(1.0))], i64::MAX), [Some(1.0), Some(1.0)]);
    }
}
