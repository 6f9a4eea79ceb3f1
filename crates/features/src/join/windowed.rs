//! Views with windows: the source's rows of the entities asked about, gathered, sorted by entity and time, and aggregated
//! at each moment.

use std::cmp::Ordering;

use arrow::array::Float64Array;
use bedplate_types::Timestamp;

use super::{Asked, Spine};
use crate::history::{History, values_into};
use crate::row::{SourceColumns, identity_order, value_order};
use crate::{RowId, ViewDefinition};

pub(super) struct Windowed {
    width: usize,
    /// The furthest a feature looks back, in microseconds.
    horizon: Option<i64>,
    entities: Vec<u32>,
    times: Vec<i64>,
    /// Row by row, NaN where null.
    values: Vec<f64>,
    /// As long as `times`, or empty where the source has no ids.
    ids: Vec<Option<RowId>>,
    /// As long as `times`, or empty where the view has no created column.
    created: Vec<i64>,
}

/// Moments of an entity from which on it pays to keep tiles of its rows.
const OFTEN: usize = 4;

impl Windowed {
    pub(super) fn new(def: &ViewDefinition, width: usize) -> Self {
        let horizon = def.horizon().map(|span| span.micros());
        let (entities, times, values) = (Vec::new(), Vec::new(), Vec::new());
        Self { width, horizon, entities, times, values, ids: Vec::new(), created: Vec::new() }
    }

    /// Keeps the rows some moment can see.
    pub(super) fn take(&mut self, asked: &[Asked], spine: &Spine, columns: &SourceColumns) {
        for asked in asked {
            if !self.is_seen(asked, spine) {
                continue;
            }
            let Asked { row, entity, time } = asked;
            self.entities.push(*entity);
            self.times.push(*time);
            self.values.extend(columns.numbers(*row));
            if columns.has_ids() {
                self.ids.resize(self.times.len() - 1, None);
                self.ids.push(columns.id(*row));
            }
            self.created.extend(columns.created(*row));
        }
    }

    /// Takes in what was kept of other rows of the same source.
    pub(super) fn merge(&mut self, other: Self) {
        if !(self.ids.is_empty() && other.ids.is_empty()) {
            self.ids.resize(self.times.len(), None);
            self.ids.extend(other.ids);
            self.ids.resize(self.times.len() + other.times.len(), None);
        }
        self.entities.extend(other.entities);
        self.times.extend(other.times);
        self.values.extend(other.values);
        self.created.extend(other.created);
    }

    /// One array per feature, as long as the label rows and in their order.
    pub(super) fn finish(self, def: &ViewDefinition, positions: &[usize], spine: &Spine) -> Vec<Float64Array> {
        let order = self.order();
        let mut made: Vec<Vec<Option<f64>>> = def.features.iter().map(|_| vec![None; spine.len()]).collect();
        let mut rest = order.as_slice();
        let (mut plain, mut tiled) = (History::new(self.width), History::tiled(def));
        for entity in spine.all() {
            let (own, others) = rest.split_at(rest.partition_point(|row| self.entities[*row as usize] == entity));
            rest = others;
            let history = if spine.range(entity).len() < OFTEN { &mut plain } else { &mut tiled };
            self.gather(own, history);
            for place in spine.range(entity) {
                let at = Timestamp::from_micros(spine.moment(place));
                history.values_into(def, positions, at, |feature, value| made[feature][place as usize] = value);
            }
        }
        let nothing = values_of_nothing(def, positions, self.width);
        let rows = |(values, nothing): (&Vec<Option<f64>>, &Option<f64>)| {
            spine.places().map(|place| place.map_or(*nothing, |place| values[place as usize])).collect()
        };
        made.iter().zip(&nothing).map(rows).collect()
    }

    fn is_seen(&self, asked: &Asked, spine: &Spine) -> bool {
        let Some(first) = spine.first_knowing(asked.entity, asked.time) else { return false };
        let age = i128::from(spine.moment(first)) - i128::from(asked.time);
        self.horizon.is_none_or(|horizon| age <= i128::from(horizon))
    }

    /// The rows by entity, time, when they were created, and identity, each identity once.
    fn order(&self) -> Vec<u32> {
        let rows = u32::try_from(self.times.len()).expect("a source's rows that are kept fit in memory");
        let mut order: Vec<u32> = (0..rows).collect();
        let created = |row: &u32| self.created.get(*row as usize);
        order.sort_unstable_by(|a, b| {
            let version = || created(b).cmp(&created(a)).then_with(|| value_order(self.row(*b), self.row(*a)));
            self.compare(*a, *b).then_with(version)
        });
        order.dedup_by(|later, earlier| self.compare(*later, *earlier).is_eq());
        if !self.created.is_empty() {
            // Rows of one time keep the order of their identities where they were created together.
            order.sort_by(|a, b| self.moment(*a).cmp(&self.moment(*b)).then_with(|| created(a).cmp(&created(b))));
        }
        order
    }

    fn compare(&self, a: u32, b: u32) -> Ordering {
        let identity = |row: u32| (self.ids.get(row as usize).and_then(Option::as_ref), self.row(row));
        self.moment(a).cmp(&self.moment(b)).then_with(|| identity_order(identity(a), identity(b)))
    }

    fn moment(&self, row: u32) -> (u32, i64) {
        (self.entities[row as usize], self.times[row as usize])
    }

    fn row(&self, row: u32) -> &[f64] {
        let row = row as usize;
        &self.values[row * self.width..(row + 1) * self.width]
    }

    fn gather(&self, rows: &[u32], history: &mut History) {
        history.clear();
        for row in rows {
            history.push_numbers(self.times[*row as usize], self.row(*row));
        }
    }
}

/// What a label row without an entity or a moment gets: a count of nothing is zero.
fn values_of_nothing(def: &ViewDefinition, positions: &[usize], width: usize) -> Vec<Option<f64>> {
    let mut values = vec![None; def.features.len()];
    let nothing = History::new(width);
    values_into(def, positions, &nothing.all(), Timestamp::from_micros(i64::MIN), |feature, value| {
        values[feature] = value
    });
    values
}
