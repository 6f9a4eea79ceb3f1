//! Whole sources: sorted, and written straight into tables past the journal.

use bedplate_features::{SourceRow, ViewDefinition, unpack};

use crate::error::Doing;
use crate::layout::{ViewPrefix, check_length, created_in, time_of, values_in, view_prefix};
use crate::local::LocalStore;
use crate::local::memory::Filling;
use crate::local::sort::Sorter;
use crate::{LoadError, OnlineError};

const DOING: &str = "load rows";

impl LocalStore {
    /// About 100 MiB are held; more rows are sorted by way of files beside the store. They go straight into tables, past the
    /// journal, so that opening the store has nothing to replay. Pushes to the view wait while its tables are written; those
    /// to others do not. The latest rows of an empty view of `last` values are put into memory on the way, where its
    /// definition is given.
    pub(crate) fn try_load<E>(
        &self,
        view_id: &str,
        def: Option<&ViewDefinition>,
        rows: impl IntoIterator<Item = Result<SourceRow, E>>,
    ) -> Result<u64, LoadError<E>> {
        let mut sorter = Sorter::new(&self.folder);
        for row in rows {
            let key = sorter.push(&row.map_err(LoadError::Rows)?)?;
            check_length(view_id, size_of::<ViewPrefix>() + key)?;
        }
        let view = view_prefix(view_id);
        let writing = self.writing.of(&view);
        let _writing = writing.lock();
        let loaded = self.ingest(view_id, def, sorter);
        if loaded.is_err() {
            self.memory.forget(&view);
        }
        Ok(loaded?)
    }

    fn ingest(&self, view_id: &str, def: Option<&ViewDefinition>, sorter: Sorter) -> Result<u64, OnlineError> {
        let view = view_prefix(view_id);
        let is_empty = self.view_rows(&view, &view).next().is_none();
        let width = def.filter(|def| is_empty && def.longest_window().is_none()).map(|def| def.columns().len());
        let mut latest = width.and_then(|width| self.memory.fill(&view, width)).map(Latest::new);
        let mut ingestion = self.rows.start_ingestion().doing(DOING, view_id)?;
        let (mut key, mut fresh, mut written) = (view.to_vec(), 0, 0_u64);
        sorter.each(|row| {
            key.truncate(view.len());
            key.extend_from_slice(row.key);
            let stored = if is_empty { None } else { self.rows.get(&key).doing(DOING, view_id)? };
            fresh += u64::from(stored.is_none());
            if stored.is_none_or(|stored| *stored < *row.value) {
                ingestion.write(key.as_slice(), row.value).doing(DOING, view_id)?;
                written += 1;
            }
            latest.iter_mut().for_each(|latest| latest.take(&key, view.len() + row.entity, row.value));
            Ok(())
        })?;
        if written > 0 {
            ingestion.finish().doing(DOING, view_id)?;
            self.cache.clear();
        }
        self.sync(view_id)?;
        match latest {
            // Nobody wrote to the view meanwhile.
            Some(latest) => self.memory.filled(latest.finish(), |_| None),
            None if written > 0 => self.memory.forget(&view),
            None => {}
        }
        Ok(fresh)
    }
}

/// The latest row of each entity, of rows that come in the order of their keys.
pub(crate) struct Latest {
    filling: Filling,
    /// With its view.
    entity: Vec<u8>,
    /// Of its latest row so far, which is unpacked when the next entity comes.
    time: Option<i64>,
    packed: Vec<u8>,
    /// When that row was created, in views that tell.
    created: Option<i64>,
}

impl Latest {
    pub(crate) fn new(filling: Filling) -> Self {
        Self { filling, entity: Vec::new(), time: None, packed: Vec::new(), created: None }
    }

    /// Takes a row by its whole key, of which `entity` bytes are its view's and its entity's. One that cannot be read is left
    /// to the store.
    pub(crate) fn take(&mut self, key: &[u8], entity: usize, value: &[u8]) {
        if key[..entity] != self.entity {
            self.put();
            self.entity.clear();
            self.entity.extend_from_slice(&key[..entity]);
        }
        let (time, created) = (time_of(key, entity), created_in(value));
        if time.is_some() && time == self.time && created < self.created {
            return;
        }
        (self.time, self.created) = (time, created);
        self.packed.clear();
        self.packed.extend_from_slice(values_in(key, entity, value));
        if time.is_none() {
            self.lacks_one();
        }
    }

    /// Some entity that has rows is not taken.
    pub(crate) fn lacks_one(&mut self) {
        self.filling.lacks_one();
    }

    fn put(&mut self) {
        let Some(time) = self.time.take() else { return };
        match unpack(&self.packed) {
            Ok(values) => {
                self.filling.put(&self.entity, time, values.into_iter().map(|value| value.unwrap_or(f64::NAN)));
            }
            Err(_) => self.lacks_one(),
        }
    }

    pub(crate) fn finish(mut self) -> Filling {
        self.put();
        self.filling
    }
}

#[cfg(test)]
mod tests {
    use bedplate_features::pack;

    use super::*;
    use crate::layout::ordered;
    use crate::local::memory::{Known, Memory};

    #[test]
    fn an_entity_whose_latest_row_cannot_be_read_is_left_to_the_store() {
        let (memory, view) = (Memory::new(1 << 20), view_prefix("v"));
        let entity = |name: u8| [view.as_slice(), &[name]].concat();
        let (readable, damaged) = (pack(&[Some(5.0)]), vec![u8::MAX; pack(&[None]).len()]);
        let mut latest = Latest::new(memory.fill(&view, 1).unwrap());
        for (name, time, value) in
            [(b'a', 1, &damaged), (b'a', 2, &readable), (b'b', 1, &readable), (b'b', 2, &damaged)]
        {
            let entity = entity(name);
            latest.take(&[entity.as_slice(), &ordered(time)].concat(), entity.len(), value);
        }
        memory.filled(latest.finish(), |_| None);
        let reader = memory.reader();
        let known = |name| reader.latest(&view, &entity(name), 1);
        assert!(matches!(known(b'a'), Known::Row(row) if (row.time, row.values) == (2, &[5.0][..])));
        assert!(matches!(known(b'b'), Known::Nothing));
        assert!(matches!(known(b'c'), Known::Nothing), "b has rows that are not here: not all is known");
    }
}
