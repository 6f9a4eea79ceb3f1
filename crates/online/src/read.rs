//! Reading the features of one entity at a moment.

use std::sync::Arc;

use bedplate_features::{EntityKey, History, InvalidPacked, ViewDefinition, unpack, values_of};
use bedplate_types::{Span, Timestamp};
use fjall::{Guard, Readable, Snapshot};

use crate::cache::{Tail, Ticket};
use crate::error::Doing;
use crate::layout::{entity_in, first_at, last_at, time_of, view_prefix};
use crate::{OnlineError, OnlineStore};

const DOING: &str = "read rows";
/// Rows a remembered latest row may grow by before the entity is forgotten.
const PUSHED: usize = 8;

/// What is known of an entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Dated {
    /// In the view's order.
    pub values: Vec<Option<f64>>,
    /// When its newest row became known, whether or not that is still usable; `None` without rows.
    pub newest: Option<Timestamp>,
}

impl OnlineStore {
    /// The view's features of one entity as they were known at `at`, in the view's order; later rows are never seen.
    ///
    /// Costs one seek for views of `last` values, else a scan of the longest window, and that once: what was read lately is
    /// kept in memory.
    ///
    /// # Errors
    /// When stored rows are damaged or have other columns than the definition, or the disk fails.
    pub fn read(
        &self,
        def: &ViewDefinition,
        view_id: &str,
        key: &EntityKey,
        at: Timestamp,
    ) -> Result<Vec<Option<f64>>, OnlineError> {
        self.reader(def, view_id).read(Some(key), at)
    }

    /// [`OnlineStore::read`] for many entities; `None` is an entity without rows, as one with a null key is.
    ///
    /// # Errors
    /// As [`OnlineStore::read`].
    pub fn read_many(
        &self,
        def: &ViewDefinition,
        view_id: &str,
        asked: &[(Option<EntityKey>, Timestamp)],
    ) -> Result<Vec<Vec<Option<f64>>>, OnlineError> {
        let reader = self.reader(def, view_id);
        asked.iter().map(|(key, at)| reader.read(key.as_ref(), *at)).collect()
    }

    /// As [`OnlineStore::read_many`], with the age of what is known.
    ///
    /// # Errors
    /// As [`OnlineStore::read`].
    pub fn read_dated(
        &self,
        def: &ViewDefinition,
        view_id: &str,
        asked: &[(Option<EntityKey>, Timestamp)],
    ) -> Result<Vec<Dated>, OnlineError> {
        let reader = self.reader(def, view_id);
        asked.iter().map(|(key, at)| reader.dated(key.as_ref(), *at)).collect()
    }

    /// As [`OnlineStore::read_dated`], if nothing but memory is needed for it: what was read lately of a view of `last`
    /// values. Never waits for a disk.
    #[must_use]
    pub fn remembered(
        &self,
        def: &ViewDefinition,
        view_id: &str,
        asked: &[(Option<EntityKey>, Timestamp)],
    ) -> Option<Vec<Dated>> {
        if def.longest_window().is_some() {
            return None;
        }
        let (view, positions, columns) = (view_prefix(view_id), def.positions(), def.columns().len());
        let one = |(key, at): &(Option<EntityKey>, Timestamp)| {
            let Some(key) = key else { return Some(dated(def, &positions, &History::new(columns), *at)) };
            let tail = self.cache.get(&entity_in(&view, key), at.micros(), at.micros(), columns)?;
            Some(dated(def, &positions, &tail.history, *at))
        };
        asked.iter().map(one).collect()
    }

    fn reader<'a>(&'a self, def: &'a ViewDefinition, view_id: &'a str) -> Reader<'a> {
        // The ticket comes first: what is written after it may be missing from the snapshot.
        let ticket = self.cache.ticket();
        let (view, positions, columns) = (view_prefix(view_id), def.positions(), def.columns().len());
        Reader { store: self, ticket, snapshot: self.db.snapshot(), def, view_id, view, positions, columns }
    }
}

/// What an entity's rows say at a moment, of a view of `last` values.
fn dated(def: &ViewDefinition, positions: &[usize], history: &History, at: Timestamp) -> Dated {
    let rows = history.all();
    let known = rows.times.partition_point(|time| *time <= at.micros());
    let newest = known.checked_sub(1).map(|last| Timestamp::from_micros(rows.times[last]));
    Dated { values: values_of(def, positions, &rows, at), newest }
}

struct Reader<'a> {
    store: &'a OnlineStore,
    ticket: Ticket,
    snapshot: Snapshot,
    def: &'a ViewDefinition,
    view_id: &'a str,
    /// What the view's keys begin with.
    view: Vec<u8>,
    positions: Vec<usize>,
    columns: usize,
}

impl Reader<'_> {
    fn read(&self, key: Option<&EntityKey>, at: Timestamp) -> Result<Vec<Option<f64>>, OnlineError> {
        let Some(key) = key else { return Ok(self.values(&self.none(), at)) };
        let entity = entity_in(&self.view, key);
        let Some(window) = self.def.longest_window() else {
            return Ok(self.values(&self.newest(&entity, at.micros())?.history, at));
        };
        let tail = self.tail(&entity, window, at.micros())?;
        // The latest row of a window that holds any is the latest of all.
        let holds_any = || tail.history.all().times.first().is_some_and(|first| *first <= at.micros());
        if !self.def.takes_last() || holds_any() {
            return Ok(self.values(&tail.history, at));
        }
        Ok(self.values(&self.latest(&entity, at.micros())?, at))
    }

    /// A view with windows costs one seek more: what its window holds may be younger than nothing at all.
    fn dated(&self, key: Option<&EntityKey>, at: Timestamp) -> Result<Dated, OnlineError> {
        let Some(key) = key else { return Ok(Dated { values: self.read(None, at)?, newest: None }) };
        let entity = entity_in(&self.view, key);
        if self.def.longest_window().is_none() {
            return Ok(dated(self.def, &self.positions, &self.newest(&entity, at.micros())?.history, at));
        }
        let latest = self.latest(&entity, at.micros())?;
        let newest = latest.all().times.last().map(|time| Timestamp::from_micros(*time));
        Ok(Dated { values: self.read(Some(key), at)?, newest })
    }

    fn values(&self, history: &History, at: Timestamp) -> Vec<Option<f64>> {
        values_of(self.def, &self.positions, &history.all(), at)
    }

    /// The latest row known at `at`; remembered when it is the latest of all, as it is for whoever asks about now.
    fn newest(&self, entity: &[u8], at: i64) -> Result<Arc<Tail>, OnlineError> {
        if let Some(tail) = self.store.cache.get(entity, at, at, self.columns) {
            return Ok(tail);
        }
        let history = self.latest(entity, i64::MAX)?;
        let from = history.all().times.last().copied().unwrap_or(i64::MIN);
        if from > at {
            let history = self.latest(entity, at)?;
            return Ok(Arc::new(Tail { from: at, until: at, history, limit: PUSHED }));
        }
        let tail = Arc::new(Tail { from, until: i64::MAX, history, limit: PUSHED });
        self.store.cache.keep(self.ticket, entity.to_vec(), Arc::clone(&tail));
        Ok(tail)
    }

    /// The rows of the window before `at`, and perhaps more of the same entity.
    fn tail(&self, entity: &[u8], window: Span, at: i64) -> Result<Arc<Tail>, OnlineError> {
        let start = at.checked_sub(window.micros()).map_or(i64::MIN, |edge| edge.saturating_add(1));
        if let Some(tail) = self.store.cache.get(entity, start, at, self.columns) {
            return Ok(tail);
        }
        // Reaching back a little further serves requests that come a little out of order.
        let tail = Arc::new(self.scan(entity, start.saturating_sub(window.micros() / 8), at)?);
        self.store.cache.keep(self.ticket, entity.to_vec(), Arc::clone(&tail));
        Ok(tail)
    }

    /// The rows from `from` to `at`, and up to which moment after `at` there are no others.
    fn scan(&self, entity: &[u8], from: i64, at: i64) -> Result<Tail, OnlineError> {
        let mut history = self.none();
        let mut until = i64::MAX;
        for row in self.snapshot.range(&self.store.rows, first_at(entity, from)..=last_at(entity, i64::MAX)) {
            let (time, row) = self.decode(entity, row)?;
            if time > at {
                until = time - 1;
                break;
            }
            history.push(time, &row);
        }
        let limit = 2 * history.len() + 64;
        Ok(Tail { from, until, history, limit })
    }

    /// The latest row known at `at`, alone.
    fn latest(&self, entity: &[u8], at: i64) -> Result<History, OnlineError> {
        let mut history = self.none();
        let range = first_at(entity, i64::MIN)..=last_at(entity, at);
        if let Some(row) = self.snapshot.range(&self.store.rows, range).next_back() {
            let (time, row) = self.decode(entity, row)?;
            history.push(time, &row);
        }
        Ok(history)
    }

    fn none(&self) -> History {
        History::new(self.columns)
    }

    fn decode(&self, entity: &[u8], row: Guard) -> Result<(i64, Vec<Option<f64>>), OnlineError> {
        let (key, value) = row.into_inner().doing(DOING, self.view_id)?;
        let damaged = |source| OnlineError::CorruptRow { view: self.view_id.to_owned(), source };
        let row = unpack(&value).map_err(damaged)?;
        let time = time_of(&key, entity.len()).ok_or_else(|| damaged(InvalidPacked(key.len())))?;
        if row.len() != self.columns {
            return Err(self.other_columns(row.len()));
        }
        Ok((time, row))
    }

    fn other_columns(&self, found: usize) -> OnlineError {
        OnlineError::OtherColumns { view: self.view_id.to_owned(), found, wanted: self.columns }
    }
}
