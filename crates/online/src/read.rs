//! Reading the features of one entity at a moment.

use std::sync::Arc;

use bedplate_features::{EntityKey, History, InvalidPacked, ViewDefinition, unpack, values};
use bedplate_types::{Span, Timestamp};
use fjall::{Guard, Readable, Snapshot};

use crate::cache::{Tail, Ticket};
use crate::error::Doing;
use crate::layout::{entity_prefix, first_at, last_at, time_of};
use crate::{OnlineError, OnlineStore};

const DOING: &str = "read rows";

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
    /// Costs one seek for views of `last` values; else a scan of the longest window, once: it is then kept in memory.
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

    fn reader<'a>(&'a self, def: &'a ViewDefinition, view_id: &'a str) -> Reader<'a> {
        // The ticket comes first: what is written after it may be missing from the snapshot.
        let ticket = self.cache.ticket();
        Reader { store: self, ticket, snapshot: self.db.snapshot(), def, view_id, columns: def.columns().len() }
    }
}

struct Reader<'a> {
    store: &'a OnlineStore,
    ticket: Ticket,
    snapshot: Snapshot,
    def: &'a ViewDefinition,
    view_id: &'a str,
    columns: usize,
}

impl Reader<'_> {
    fn read(&self, key: Option<&EntityKey>, at: Timestamp) -> Result<Vec<Option<f64>>, OnlineError> {
        let Some(key) = key else { return Ok(values(self.def, &self.none().all(), at)) };
        let entity = entity_prefix(self.view_id, key);
        let tail = match self.def.longest_window() {
            Some(window) => Some(self.tail(&entity, window, at.micros())?),
            None => None,
        };
        let rows = tail.as_ref().map(|tail| tail.history.all());
        match rows {
            // The latest row of a window that holds any is the latest of all.
            Some(rows) if !self.def.takes_last() || rows.times.first().is_some_and(|first| *first <= at.micros()) => {
                Ok(values(self.def, &rows, at))
            }
            _ => Ok(values(self.def, &self.latest(&entity, at.micros())?.all(), at)),
        }
    }

    /// One seek where the newest row is all that counts.
    fn dated(&self, key: Option<&EntityKey>, at: Timestamp) -> Result<Dated, OnlineError> {
        let newest = |rows: &History| rows.all().times.last().map(|time| Timestamp::from_micros(*time));
        let Some(key) = key else { return Ok(Dated { values: self.read(None, at)?, newest: None }) };
        let latest = self.latest(&entity_prefix(self.view_id, key), at.micros())?;
        let values = match self.def.longest_window() {
            Some(_) => self.read(Some(key), at)?,
            None => values(self.def, &latest.all(), at),
        };
        Ok(Dated { values, newest: newest(&latest) })
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
