//! Reading the features of one entity at a moment.

use std::sync::Arc;

use bedplate_features::{EntityKey, History, InvalidPacked, ViewDefinition, values_of, values_of_row};
use bedplate_types::{Span, Timestamp};
use fjall::{Readable, Snapshot};

use crate::error::Doing;
use crate::layout::{
    ViewPrefix, created_in, entity_in, entity_width, first_at, last_at, time_of, unpacked, values_in, view_prefix,
    write_entity,
};
use crate::local::LocalStore;
use crate::local::cache::Tail;
use crate::local::load::Latest;
use crate::local::memory::{Filling, Known, Row};
use crate::local::ranked::{self, InOrder};
use crate::local::tickets::Ticket;
use crate::{Dated, OnlineError};

const DOING: &str = "read rows";

impl LocalStore {
    /// Costs one seek for a view of `last` values, where its latest row is not in memory, else a scan of the longest window;
    /// and that once, for what was read lately is kept in memory.
    pub(crate) fn read_many(
        &self,
        def: &ViewDefinition,
        view_id: &str,
        asked: &[(Option<EntityKey>, Timestamp)],
    ) -> Result<Vec<Vec<Option<f64>>>, OnlineError> {
        let reader = self.reader(def, view_id);
        asked.iter().map(|(key, at)| reader.read(key.as_ref(), *at)).collect()
    }

    /// As [`LocalStore::read_many`], with the age of what is known.
    pub(crate) fn read_dated(
        &self,
        def: &ViewDefinition,
        view_id: &str,
        asked: &[(Option<EntityKey>, Timestamp)],
    ) -> Result<Dated, OnlineError> {
        let reader = self.reader(def, view_id);
        let mut dated = Dated::new(def.features.len(), asked.len());
        for (key, at) in asked {
            let (newest, values) = reader.dated(key.as_ref(), *at)?;
            dated.push(newest, values);
        }
        Ok(dated)
    }

    /// As [`LocalStore::read_dated`], if nothing but memory is needed for it: the view is one of `last` values. Never waits
    /// for a disk.
    #[must_use]
    pub(crate) fn remembered(
        &self,
        def: &ViewDefinition,
        view_id: &str,
        asked: &[(Option<EntityKey>, Timestamp)],
    ) -> Option<Dated> {
        if def.longest_window().is_some() {
            return None;
        }
        let (view, positions, columns) = (view_prefix(view_id), def.positions(), def.columns().len());
        let (memory, mut entity) = (self.memory.reader(), Vec::new());
        let memory_of_view = memory.view(&view, columns)?;
        let mut keys = Vec::with_capacity(asked.len());
        for (key, _) in asked {
            keys.push(key.as_ref().map(|key| {
                write_entity(&view, key, &mut entity);
                memory.key(&entity)
            }));
        }
        let mut dated = Dated::new(def.features.len(), asked.len());
        for (known, (_, at)) in memory_of_view.latest_of(&keys).zip(asked) {
            match known {
                Known::Row(row) if row.time <= at.micros() => push_row(&mut dated, def, &positions, &row, *at),
                Known::NoRows => dated.push(None, no_rows(def, &positions, *at)),
                Known::Row(_) | Known::Nothing => return None,
            }
        }
        Some(dated)
    }

    /// Sees to it that the latest rows of a view of `last` values are in memory, as many as have place. Costs a scan of the
    /// view, once; pushes go on meanwhile.
    ///
    /// # Errors
    /// When stored rows are damaged, or the disk fails.
    pub(crate) fn remember(&self, def: &ViewDefinition, view_id: &str) -> Result<(), OnlineError> {
        let view = view_prefix(view_id);
        let is_of_last = def.longest_window().is_none();
        let Some(filling) = is_of_last.then(|| self.memory.fill(&view, def.columns().len())).flatten() else {
            return Ok(());
        };
        let filled = self.scanned(&view, def.join_keys.len(), filling).doing(DOING, view_id);
        match filled {
            Ok(filling) => {
                let writing = self.writing.of(&view);
                let _writing = writing.lock();
                self.memory.filled(filling, |entity| self.latest_of(entity));
                Ok(())
            }
            Err(error) => {
                self.memory.forget(&view);
                Err(error)
            }
        }
    }

    fn scanned(&self, view: &ViewPrefix, join_keys: usize, filling: Filling) -> fjall::Result<Filling> {
        let mut latest = Latest::new(filling);
        for row in self.view_rows(view, view) {
            let (key, value) = row.into_inner()?;
            match entity_width(&key, join_keys) {
                Some(entity) => latest.take(&key, entity, &value),
                None => latest.lacks_one(),
            }
        }
        Ok(latest.finish())
    }

    fn reader<'a>(&'a self, def: &'a ViewDefinition, view_id: &'a str) -> Reader<'a> {
        // The tickets come first: what is written after them may be missing from the snapshot.
        let tickets = (self.memory.ticket(), self.cache.ticket());
        let (view, positions, columns) = (view_prefix(view_id), def.positions(), def.columns().len());
        Reader { store: self, tickets, snapshot: self.db.snapshot(), def, view_id, view, positions, columns }
    }
}

/// Adds an entity by its latest row, of a view of `last` values.
fn push_row(dated: &mut Dated, def: &ViewDefinition, positions: &[usize], row: &Row<'_>, at: Timestamp) {
    dated.push_cells(Timestamp::from_micros(row.time), |cells| {
        let write = |feature: usize, value: Option<f64>| cells[feature] = value.unwrap_or(f64::NAN);
        values_of_row(def, positions, (row.time, row.values), at, write);
    });
}

/// What is said of an entity without rows.
fn no_rows(def: &ViewDefinition, positions: &[usize], at: Timestamp) -> Vec<Option<f64>> {
    values_of(def, positions, &History::new(def.columns().len()).all(), at)
}

struct Reader<'a> {
    store: &'a LocalStore,
    /// Of memory, and of the windows.
    tickets: (Ticket, Ticket),
    snapshot: Snapshot,
    def: &'a ViewDefinition,
    view_id: &'a str,
    view: ViewPrefix,
    positions: Vec<usize>,
    columns: usize,
}

/// When the latest of an entity's rows became known.
fn newest(history: &History) -> Option<Timestamp> {
    history.all().times.last().map(|time| Timestamp::from_micros(*time))
}

impl Reader<'_> {
    fn read(&self, key: Option<&EntityKey>, at: Timestamp) -> Result<Vec<Option<f64>>, OnlineError> {
        let Some(key) = key else { return Ok(self.values(&self.none(), at)) };
        let entity = entity_in(&self.view, key);
        let Some(window) = self.def.longest_window() else { return Ok(self.of_last(&entity, at)?.1) };
        let tail = self.tail(&entity, window, at.micros())?;
        // The latest row of a window that holds any is the latest of all.
        let holds_any = || tail.history.all().times.first().is_some_and(|first| *first <= at.micros());
        if !self.def.takes_last() || holds_any() {
            return Ok(self.values(&tail.history, at));
        }
        Ok(self.values(&self.latest(&entity, at.micros())?, at))
    }

    /// A view with windows costs one seek more: what its window holds may be younger than nothing at all.
    fn dated(
        &self,
        key: Option<&EntityKey>,
        at: Timestamp,
    ) -> Result<(Option<Timestamp>, Vec<Option<f64>>), OnlineError> {
        let Some(key) = key else { return Ok((None, self.read(None, at)?)) };
        let entity = entity_in(&self.view, key);
        if self.def.longest_window().is_none() {
            return self.of_last(&entity, at);
        }
        Ok((newest(&self.latest(&entity, at.micros())?), self.read(Some(key), at)?))
    }

    /// What is known of an entity at a moment, of a view of `last` values: from memory where that is the latest of all.
    fn of_last(&self, entity: &[u8], at: Timestamp) -> Result<(Option<Timestamp>, Vec<Option<f64>>), OnlineError> {
        let memory = self.store.memory.reader();
        match memory.latest(&self.view, entity, self.columns) {
            Known::Row(row) if row.time <= at.micros() => {
                let mut values = Vec::with_capacity(self.positions.len());
                values_of_row(self.def, &self.positions, (row.time, row.values), at, |_, value| values.push(value));
                return Ok((Some(Timestamp::from_micros(row.time)), values));
            }
            Known::NoRows => return Ok((None, self.values(&self.none(), at))),
            // An earlier row is asked for.
            Known::Row(_) => drop(memory),
            Known::Nothing => {
                drop(memory);
                let history = self.latest(entity, i64::MAX)?;
                self.keep(entity, &history);
                if newest(&history).is_none_or(|newest| newest <= at) {
                    return Ok((newest(&history), self.values(&history, at)));
                }
            }
        }
        let history = self.latest(entity, at.micros())?;
        Ok((newest(&history), self.values(&history, at)))
    }

    fn keep(&self, entity: &[u8], history: &History) {
        let rows = history.all();
        if let Some(time) = rows.times.first() {
            let values: Vec<f64> = rows.columns.iter().map(|column| column[rows.from]).collect();
            self.store.memory.keep(self.tickets.0, &self.view, entity, Row { time: *time, values: &values });
        }
    }

    fn values(&self, history: &History, at: Timestamp) -> Vec<Option<f64>> {
        history.values_of(self.def, &self.positions, at)
    }

    /// The rows of the window before `at`, and perhaps more of the same entity.
    fn tail(&self, entity: &[u8], window: Span, at: i64) -> Result<Arc<Tail>, OnlineError> {
        let start = at.checked_sub(window.micros()).map_or(i64::MIN, |edge| edge.saturating_add(1));
        if let Some(tail) = self.store.cache.get(entity, start, at, self.columns) {
            return Ok(tail);
        }
        // Reaching back a little further serves requests that come a little out of order.
        let tail = Arc::new(self.scan(entity, start.saturating_sub(window.micros() / 8), at)?);
        self.store.cache.keep(self.tickets.1, entity.to_vec(), Arc::clone(&tail));
        Ok(tail)
    }

    /// The rows from `from` to `at`, and up to which moment after `at` there are no others.
    fn scan(&self, entity: &[u8], from: i64, at: i64) -> Result<Tail, OnlineError> {
        let mut history = History::tiled(self.def);
        let mut until = i64::MAX;
        let mut rows = InOrder::new(|time, row: &[Option<f64>]| history.push(time, row));
        for row in self.snapshot.range(&self.store.rows, first_at(entity, from)..=last_at(entity, i64::MAX)) {
            let (key, value) = row.into_inner().doing(DOING, self.view_id)?;
            let (time, row) = self.decode(entity, &key, &value)?;
            if time > at {
                until = time - 1;
                break;
            }
            rows.push(time, created_in(&value), row);
        }
        rows.flush();
        let limit = 2 * history.len() + 64;
        Ok(Tail { from, until, history, limit })
    }

    /// The latest row known at `at`, alone.
    fn latest(&self, entity: &[u8], at: i64) -> Result<History, OnlineError> {
        let mut history = self.none();
        let range = first_at(entity, i64::MIN)..=last_at(entity, at);
        let latest = ranked::latest(self.snapshot.range(&self.store.rows, range), entity.len());
        if let Some((key, value)) = latest.doing(DOING, self.view_id)? {
            let (time, row) = self.decode(entity, &key, &value)?;
            history.push(time, &row);
        }
        Ok(history)
    }

    fn none(&self) -> History {
        History::new(self.columns)
    }

    fn decode(&self, entity: &[u8], key: &[u8], value: &[u8]) -> Result<(i64, Vec<Option<f64>>), OnlineError> {
        let damaged = |source| OnlineError::CorruptRow { view: self.view_id.to_owned(), source };
        let time = time_of(key, entity.len()).ok_or_else(|| damaged(InvalidPacked(key.len())))?;
        Ok((time, unpacked(self.view_id, values_in(key, entity.len(), value), self.columns)?))
    }
}
