//! Views of latest values: one pass over the source in any order, with one row kept for each moment asked about.
//!
//! A row that became known at `u` is a candidate for its entity's first moment at or after `u` alone. When the source has
//! ended, each moment without a candidate takes that of the moment before. So nothing is sorted, and what is held is as
//! large as the label rows, however long the source is.
//!
//! Sources mostly come in order of time, so that an entity's next row is a candidate for the same moment as its last, or for
//! the one after. That moment is held open beside the entity: most rows touch nothing else.

use std::cmp::Ordering;

use arrow::array::Float64Array;
use arrow::buffer::NullBuffer;

use super::candidates::{Candidates, Number};
use super::{Asked, Spine};
use crate::row::{SourceColumns, identity_order, value_order};
use crate::{RowId, ViewDefinition};

/// The time of no candidate. A row known since then is held as known a microsecond later.
const EMPTY: i64 = i64::MIN;

pub(super) struct Latest {
    places: Candidates,
    /// By place, once a row with an id was seen. Rows that may have ids go straight to their places.
    ids: Vec<Option<RowId>>,
    /// By place, when its row was created; empty in views that do not tell, whose rows are all as old as this.
    created: Vec<i64>,
    /// By entity.
    open: Vec<Open>,
    /// By entity, the values of the candidate for its open place.
    newest: Vec<f64>,
}

/// What decides between rows of one time.
#[derive(Clone, Copy)]
struct Rank<'a> {
    created: i64,
    id: Option<&'a RowId>,
    values: &'a [f64],
}

impl Rank<'_> {
    /// Rows that tell nothing but their values.
    fn of(values: &[f64]) -> Rank<'_> {
        Rank { created: i64::MIN, id: None, values }
    }

    fn cmp(self, other: Rank<'_>) -> Ordering {
        let identity = || identity_order((self.id, self.values), (other.id, other.values));
        self.created.cmp(&other.created).then_with(identity).then_with(|| value_order(self.values, other.values))
    }
}

/// The place an entity's last row was a candidate for, and the times of the candidates for it: `after < time <= until`.
#[derive(Clone, Copy)]
struct Open {
    /// `end` for what became known after the entity's last moment, of which there are no candidates.
    place: u32,
    /// Where the entity's places end.
    end: u32,
    after: i64,
    until: i64,
    /// That of the candidate; [`EMPTY`] without one.
    time: i64,
}

impl Open {
    /// No time is within.
    const NOWHERE: Self = Self { place: 0, end: 0, after: i64::MAX, until: i64::MIN, time: EMPTY };

    fn holds(&self, time: i64) -> bool {
        self.after < time && time <= self.until
    }

    fn is_asked(&self) -> bool {
        self.place < self.end
    }
}

impl Latest {
    pub(super) fn new(width: usize, spine: &Spine) -> Self {
        Self {
            places: Candidates::new(width, spine.len()),
            ids: Vec::new(),
            created: Vec::new(),
            open: vec![Open::NOWHERE; spine.entities()],
            newest: vec![0.0; width * spine.entities()],
        }
    }

    /// Keeps those rows that come after what is kept for their moments.
    pub(super) fn take(&mut self, asked: &[Asked], spine: &Spine, columns: &SourceColumns) {
        if columns.has_ids() || columns.has_created() {
            for Asked { row, entity, time } in asked {
                if let Some(place) = spine.first_knowing(*entity, *time) {
                    self.offer_ranked(place, (*time).max(EMPTY + 1), columns, *row);
                }
            }
            return;
        }
        // As the entities are looked up, so are their open places.
        let is_open: Vec<bool> = asked.iter().map(|asked| self.open[asked.entity as usize].holds(asked.time)).collect();
        for (asked, was_open) in asked.iter().zip(is_open) {
            // A row before it in the batch may have opened another.
            let is_open = was_open && self.open[asked.entity as usize].holds(asked.time);
            if !is_open {
                self.open_place(asked.entity, asked.time, spine);
            }
            if self.open[asked.entity as usize].is_asked() {
                self.offer(Asked { time: asked.time.max(EMPTY + 1), ..*asked }, columns);
            }
        }
    }

    fn offer(&mut self, Asked { row, entity, time }: Asked, columns: &SourceColumns) {
        let width = self.places.width;
        let (open, values) = (&mut self.open[entity as usize], &mut self.newest[entity as usize * width..][..width]);
        let comes_after = match time.cmp(&open.time) {
            Ordering::Equal => value_order(&columns.numbers(row).collect::<Vec<_>>(), values).is_gt(),
            order => order.is_gt(),
        };
        if comes_after {
            open.time = time;
            values.iter_mut().zip(columns.numbers(row)).for_each(|(cell, value)| *cell = value);
        }
    }

    /// Opens the place a row of this time is a candidate for.
    fn open_place(&mut self, entity: u32, time: i64, spine: &Spine) {
        let (open, range) = (self.open[entity as usize], spine.range(entity));
        let next = if time > open.until { spine.next_knowing(open.place..open.end, time) } else { None };
        let place = next.or_else(|| spine.first_knowing(entity, time)).unwrap_or(range.end);
        self.close(entity as usize);
        let after = if place > range.start { spine.moment(place - 1) } else { EMPTY };
        let until = if place < range.end { spine.moment(place) } else { i64::MAX };
        self.open[entity as usize] = Open { place, end: range.end, after, until, time: EMPTY };
    }

    /// Puts an entity's newest candidate where it belongs, unless a later one is there.
    fn close(&mut self, owner: usize) {
        let width = self.places.width;
        let Open { place, time, .. } = self.open[owner];
        self.open[owner].time = EMPTY;
        let values = &self.newest[owner * width..][..width];
        if time != EMPTY && self.comes_after(place, time, Rank::of(values)) {
            self.places.put(place, time, values);
        }
    }

    fn offer_ranked(&mut self, place: u32, time: i64, columns: &SourceColumns, row: usize) {
        let id = columns.id(row);
        let values: Vec<f64> = columns.numbers(row).collect();
        let rank = Rank { created: columns.created(row).unwrap_or(i64::MIN), id: id.as_ref(), values: &values };
        if self.comes_after(place, time, rank) {
            self.places.put(place, time, &values);
            self.put_rank(place, rank.created, rank.id);
        }
    }

    /// Takes in what was kept of other rows of the same source.
    pub(super) fn merge(&mut self, mut other: Self) {
        other.close_all();
        for (place, number) in self.places.append(&mut other.places) {
            let (created, id) = (other.created(place), other.id(place));
            let rank = Rank { created, id, values: self.places.values_of(number) };
            if self.comes_after(place, self.places.time_of(number), rank) {
                self.places.place(place, number);
                self.put_rank(place, created, id);
            }
        }
    }

    fn created(&self, place: u32) -> i64 {
        self.created.get(place as usize).copied().unwrap_or(i64::MIN)
    }

    fn id(&self, place: u32) -> Option<&RowId> {
        self.ids.get(place as usize).and_then(Option::as_ref)
    }

    fn comes_after(&self, place: u32, time: i64, rank: Rank<'_>) -> bool {
        let Some(here) = self.places.at(place) else { return true };
        let is = || Rank { created: self.created(place), id: self.id(place), values: self.places.values_of(here) };
        time.cmp(&self.places.time_of(here)).then_with(|| rank.cmp(is())).is_gt()
    }

    fn put_rank(&mut self, place: u32, created: i64, id: Option<&RowId>) {
        if id.is_some() || !self.ids.is_empty() {
            self.ids.resize(self.places.len(), None);
            self.ids[place as usize] = id.cloned();
        }
        if created != i64::MIN || !self.created.is_empty() {
            self.created.resize(self.places.len(), i64::MIN);
            self.created[place as usize] = created;
        }
    }

    fn close_all(&mut self) {
        (0..self.open.len()).for_each(|owner| self.close(owner));
    }

    /// One array per feature, as long as the label rows and in their order.
    pub(super) fn finish(mut self, def: &ViewDefinition, positions: &[usize], spine: &Spine) -> Vec<Float64Array> {
        self.close_all();
        let Self { places, .. } = self;
        let latest = latest(&places, spine);
        let mut made: Vec<Column> = def.features.iter().map(|_| Column::with_capacity(spine.rows())).collect();
        for place in spine.places() {
            let known = place.and_then(|place| Some((spine.moment(place), latest[place as usize]?)));
            let usable = known.filter(|(moment, row)| is_usable(def, places.time_of(*row), *moment));
            let values = usable.map(|(_, row)| places.values_of(row));
            for (position, column) in positions.iter().zip(&mut made) {
                column.push(values.map_or(f64::NAN, |values| values[*position]));
            }
        }
        made.into_iter().map(Column::finish).collect()
    }
}

/// For each place the row that is the latest known there.
fn latest(candidates: &Candidates, spine: &Spine) -> Vec<Option<Number>> {
    let mut latest = vec![None; candidates.len()];
    for entity in spine.all() {
        let mut last = None;
        for place in spine.range(entity) {
            last = candidates.at(place).or(last);
            latest[place as usize] = last;
        }
    }
    latest
}

/// `at - time <= ttl`; what became known before the beginning of time is older than every limit.
fn is_usable(def: &ViewDefinition, time: i64, at: i64) -> bool {
    def.ttl.is_none_or(|ttl| at.checked_sub(time).is_some_and(|age| age <= ttl.micros()))
}

/// A feature's values as they come, NaN for null.
struct Column {
    values: Vec<f64>,
    present: Vec<bool>,
}

impl Column {
    fn with_capacity(rows: usize) -> Self {
        Self { values: Vec::with_capacity(rows), present: Vec::with_capacity(rows) }
    }

    fn push(&mut self, value: f64) {
        self.present.push(!value.is_nan());
        self.values.push(if value.is_nan() { 0.0 } else { value });
    }

    fn finish(self) -> Float64Array {
        let nulls = NullBuffer::from(self.present);
        Float64Array::new(self.values.into(), Some(nulls).filter(|nulls| nulls.null_count() > 0))
    }
}
