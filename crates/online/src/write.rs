//! Writing rows: pushed ones durably, whole sources past the journal.

use std::collections::BTreeMap;

use bedplate_features::SourceRow;
use fjall::PersistMode;

use crate::cache::Written;
use crate::error::Doing;
use crate::layout::{after_view, entity_of, row_key, row_value, view_prefix};
use crate::{OnlineError, OnlineStore};

/// Rows written at once: the most that is held in memory, and what becomes visible together.
const CHUNK: usize = 8192;
/// Rows of an empty view that are written past the journal.
const BULK: usize = 1_000_000;
/// fjall's own limit.
const LONGEST_KEY: usize = u16::MAX as usize;

impl OnlineStore {
    /// Stores rows and returns how many were new. They survive power loss once it returns.
    ///
    /// Rows may come in any order and again: one with the entity, time and identity of a stored row replaces it only if its
    /// packed values are greater. Up to 8,192 rows become visible together. Costs one lookup a row and one fsync.
    ///
    /// # Errors
    /// When a row's key is too long, before anything of its chunk is written, or the disk fails.
    pub fn put(&self, view_id: &str, rows: &[SourceRow]) -> Result<u64, OnlineError> {
        let mut fresh = 0;
        for chunk in rows.chunks(CHUNK) {
            fresh += self.write(view_id, chunk)?;
        }
        self.sync(view_id)?;
        Ok(fresh)
    }

    /// Stores the rows of a whole source, in any order; returns how many were new.
    ///
    /// The first million rows of a view that has none are sorted and written straight into tables, past the journal, so
    /// that opening the store has nothing to replay; they become visible together. What follows is written 8,192 at a time.
    ///
    /// Interrupted, it is simply called again: rows already stored are recognised. Call
    /// [`OnlineStore::mark_loaded`] after the last of a source's rows.
    ///
    /// # Errors
    /// As [`OnlineStore::put`].
    pub fn load(&self, view_id: &str, rows: impl IntoIterator<Item = SourceRow>) -> Result<u64, OnlineError> {
        let mut rows = rows.into_iter();
        let mut fresh = self.ingest(view_id, &mut rows)?;
        loop {
            let chunk: Vec<SourceRow> = rows.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                break;
            }
            fresh += self.write(view_id, &chunk)?;
        }
        self.sync(view_id)?;
        Ok(fresh)
    }

    /// Takes rows for an empty view; takes none when the view has rows already.
    fn ingest(&self, view_id: &str, rows: &mut impl Iterator<Item = SourceRow>) -> Result<u64, OnlineError> {
        const DOING: &str = "load rows";
        let _writing = self.writing.lock();
        if self.view_rows(view_id, &view_prefix(view_id)).next().is_some() {
            return Ok(0);
        }
        let first: Vec<SourceRow> = rows.take(BULK).collect();
        let sorted = greatest(view_id, &first)?;
        if sorted.is_empty() {
            return Ok(0);
        }
        let mut ingestion = self.rows.start_ingestion().doing(DOING, view_id)?;
        for (key, (value, _)) in &sorted {
            ingestion.write(key.as_slice(), value.as_slice()).doing(DOING, view_id)?;
        }
        ingestion.finish().doing(DOING, view_id)?;
        self.cache.clear();
        Ok(sorted.len() as u64)
    }

    /// Forgets a view: its marker first, so that an interrupted drop is not taken for a loaded view, then its rows.
    ///
    /// # Errors
    /// When the disk fails; dropping again goes on where it stopped.
    pub fn drop_view(&self, view_id: &str) -> Result<(), OnlineError> {
        self.unmark(view_id)?;
        let mut from = view_prefix(view_id);
        while let Some(last) = self.drop_chunk(view_id, &from)? {
            from = last;
        }
        self.sync(view_id)
    }

    /// Removes the first rows from `from` on; returns the last one removed.
    fn drop_chunk(&self, view_id: &str, from: &[u8]) -> Result<Option<Vec<u8>>, OnlineError> {
        const DOING: &str = "drop rows";
        let _writing = self.writing.lock();
        let mut batch = self.db.batch();
        let mut last = None;
        for row in self.view_rows(view_id, from).take(CHUNK) {
            let key = row.key().doing(DOING, view_id)?;
            last = Some(key.to_vec());
            batch.remove(&self.rows, key);
        }
        batch.commit().doing(DOING, view_id)?;
        self.cache.clear();
        Ok(last)
    }

    /// How many rows a view has. Costs a scan of them.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn count(&self, view_id: &str) -> Result<u64, OnlineError> {
        let mut count = 0;
        for row in self.view_rows(view_id, &view_prefix(view_id)) {
            row.key().doing("count rows", view_id)?;
            count += 1;
        }
        Ok(count)
    }

    fn view_rows(&self, view_id: &str, from: &[u8]) -> fjall::Iter {
        match after_view(view_id) {
            Some(end) => self.rows.range(from.to_vec()..end),
            None => self.rows.range(from.to_vec()..),
        }
    }

    /// Writes one chunk, seen by readers at once or not at all; it is not yet durable.
    fn write(&self, view_id: &str, rows: &[SourceRow]) -> Result<u64, OnlineError> {
        const DOING: &str = "store rows";
        let greatest = greatest(view_id, rows)?;
        let _writing = self.writing.lock();
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
        self.cache.wrote(&written);
        Ok(fresh)
    }

    /// Even when nothing was new: the same rows may have been written a moment ago by a push that is not yet durable.
    pub(crate) fn sync(&self, view_id: &str) -> Result<(), OnlineError> {
        self.db.persist(PersistMode::SyncAll).doing("sync rows", view_id)
    }
}

/// Rows by their key, each with its packed values.
type ByKey<'a> = BTreeMap<Vec<u8>, (Vec<u8>, &'a SourceRow)>;

/// The rows by key; of rows with one identity the one with the greatest values.
fn greatest<'a>(view_id: &str, rows: &'a [SourceRow]) -> Result<ByKey<'a>, OnlineError> {
    let mut greatest = ByKey::new();
    for row in rows {
        let (key, value) = (row_key(view_id, row), row_value(row));
        if key.len() > LONGEST_KEY {
            return Err(OnlineError::KeyTooLong { view: view_id.to_owned(), bytes: key.len(), limit: LONGEST_KEY });
        }
        if greatest.get(&key).is_none_or(|(kept, _)| *kept < value) {
            greatest.insert(key, (value, row));
        }
    }
    Ok(greatest)
}
