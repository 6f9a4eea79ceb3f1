//! Writing rows that are pushed, and forgetting views.

use std::collections::BTreeMap;

use bedplate_features::{SourceRow, unpack};
use fjall::PersistMode;

use crate::OnlineError;
use crate::error::Doing;
use crate::layout::{
    ViewPrefix, after_view, check_length, entity_of, first_at, last_at, row_key, row_value, time_of, values_in,
    view_prefix,
};
use crate::local::memory::Written;
use crate::local::{LocalStore, ranked};

/// Rows written at once: the most that is held in memory, and what becomes visible together.
const CHUNK: usize = 8192;

impl LocalStore {
    /// Stores rows and returns how many were new. They survive power loss once it returns.
    ///
    /// Rows may come in any order and again: one with the entity, time and identity of a stored row replaces it only if its
    /// packed values are greater, or, in views that tell, it was created later. Up to 8,192 rows become visible together. Costs one lookup a row and one fsync.
    ///
    /// # Errors
    /// When a row's key is too long, before anything of its chunk is written, or the disk fails.
    pub(crate) fn put(&self, view_id: &str, rows: &[SourceRow]) -> Result<u64, OnlineError> {
        let mut fresh = 0;
        for chunk in rows.chunks(CHUNK) {
            fresh += self.write(view_id, chunk)?;
        }
        self.sync(view_id)?;
        Ok(fresh)
    }

    /// Forgets a view: its marker first, so that an interrupted drop is not taken for a loaded view, then its rows.
    ///
    /// # Errors
    /// When the disk fails; dropping again goes on where it stopped.
    pub(crate) fn drop_view(&self, view_id: &str) -> Result<(), OnlineError> {
        self.unmark(view_id)?;
        let mut from = view_prefix(view_id).to_vec();
        while let Some(last) = self.drop_chunk(view_id, &from)? {
            from = last;
        }
        self.sync(view_id)
    }

    /// Removes the first rows from `from` on; returns the last one removed.
    fn drop_chunk(&self, view_id: &str, from: &[u8]) -> Result<Option<Vec<u8>>, OnlineError> {
        const DOING: &str = "drop rows";
        let view = view_prefix(view_id);
        let writing = self.writing.of(&view);
        let _writing = writing.lock();
        let mut batch = self.db.batch();
        let mut last = None;
        for row in self.view_rows(&view, from).take(CHUNK) {
            let key = row.key().doing(DOING, view_id)?;
            last = Some(key.to_vec());
            batch.remove(&self.rows, key);
        }
        batch.commit().doing(DOING, view_id)?;
        self.memory.forget(&view);
        self.cache.clear();
        Ok(last)
    }

    /// How many rows a view has. Costs a scan of them.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn count(&self, view_id: &str) -> Result<u64, OnlineError> {
        let mut count = 0;
        let view = view_prefix(view_id);
        for row in self.view_rows(&view, &view) {
            row.key().doing("count rows", view_id)?;
            count += 1;
        }
        Ok(count)
    }

    pub(crate) fn view_rows(&self, view: &ViewPrefix, from: &[u8]) -> fjall::Iter {
        match after_view(view) {
            Some(end) => self.rows.range(from.to_vec()..end),
            None => self.rows.range(from.to_vec()..),
        }
    }

    /// Writes one chunk, seen by readers at once or not at all; it is not yet durable.
    fn write(&self, view_id: &str, rows: &[SourceRow]) -> Result<u64, OnlineError> {
        const DOING: &str = "store rows";
        let view = view_prefix(view_id);
        let greatest = greatest(view_id, &view, rows)?;
        let writing = self.writing.of(&view);
        let _writing = writing.lock();
        let mut batch = self.db.batch();
        let mut written = Vec::new();
        let mut fresh = 0;
        for (key, (value, row)) in &greatest {
            let stored = self.rows.get(key).doing(DOING, view_id)?;
            fresh += u64::from(stored.is_none());
            if stored.is_none_or(|stored| *stored < **value) {
                batch.insert(&self.rows, key.as_slice(), value.as_slice());
                written.push(Written { entity: entity_of(key, row), time: row.time, values: &row.values });
            }
        }
        batch.commit().doing(DOING, view_id)?;
        self.memory.wrote(&view, &written, |entity| self.latest_of(entity));
        self.cache.wrote(&written);
        Ok(fresh)
    }

    /// The latest row of an entity as it is stored; `None` where it cannot be read.
    pub(crate) fn latest_of(&self, entity: &[u8]) -> Option<(i64, Vec<f64>)> {
        let rows = self.rows.range(first_at(entity, i64::MIN)..=last_at(entity, i64::MAX));
        let (key, value) = ranked::latest(rows, entity.len()).ok()??;
        let values = unpack(values_in(&key, entity.len(), &value)).ok()?;
        Some((time_of(&key, entity.len())?, values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect()))
    }

    /// Even when nothing was new: the same rows may have been written a moment ago by a push that is not yet durable.
    pub(crate) fn sync(&self, view_id: &str) -> Result<(), OnlineError> {
        self.db.persist(PersistMode::SyncAll).doing("sync rows", view_id)
    }
}

/// Rows by their key, each with its packed values.
type ByKey<'a> = BTreeMap<Vec<u8>, (Vec<u8>, &'a SourceRow)>;

/// The rows by key; of rows with one identity the one with the greatest values.
fn greatest<'a>(view_id: &str, view: &ViewPrefix, rows: &'a [SourceRow]) -> Result<ByKey<'a>, OnlineError> {
    let mut greatest = ByKey::new();
    for row in rows {
        let (key, value) = (row_key(view, row), row_value(row));
        check_length(view_id, key.len())?;
        if greatest.get(&key).is_none_or(|(kept, _)| *kept < value) {
            greatest.insert(key, (value, row));
        }
    }
    Ok(greatest)
}
