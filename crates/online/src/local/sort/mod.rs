//! Rows sorted by their keys, however many: what does not fit in memory is written beside the store as sorted runs, which
//! are read back together.

mod heap;
mod run;

use std::io;
use std::path::{Path, PathBuf};

use bedplate_features::SourceRow;

use self::heap::Merged;
use self::run::{Run, Spilled};
use crate::OnlineError;

/// Bytes of rows that are held, and as much again at most for their order.
const HELD: usize = 48 << 20;

/// Takes rows in any order.
pub(crate) struct Sorter {
    /// Where runs are written. They have no names: nothing is left when the process is killed.
    folder: PathBuf,
    held: usize,
    run: Run,
    spilled: Vec<Spilled>,
}

/// A row as it is stored, without its view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sorted<'a> {
    pub key: &'a [u8],
    /// How much of the key is the entity's.
    pub entity: usize,
    pub value: &'a [u8],
}

impl Sorter {
    pub(crate) fn new(folder: &Path) -> Self {
        Self::holding(folder, HELD)
    }

    fn holding(folder: &Path, held: usize) -> Self {
        Self { folder: folder.to_owned(), held, run: Run::default(), spilled: Vec::new() }
    }

    /// Takes a row and returns how long its key is.
    pub(crate) fn push(&mut self, row: &SourceRow) -> Result<usize, OnlineError> {
        if self.run.bytes() >= self.held {
            self.spill()?;
        }
        Ok(self.run.push(row))
    }

    /// The memory stays for the next run.
    fn spill(&mut self) -> Result<(), OnlineError> {
        self.run.sort();
        self.spilled.push(self.run.spill(&self.folder).map_err(failed(&self.folder))?);
        self.run.clear();
        Ok(())
    }

    /// Gives each key once, rising; of rows with one key the one with the greatest value.
    pub(crate) fn each(
        mut self,
        mut take: impl FnMut(Sorted<'_>) -> Result<(), OnlineError>,
    ) -> Result<(), OnlineError> {
        if self.spilled.is_empty() {
            self.run.sort();
            return self.run.each(take);
        }
        if !self.run.is_empty() {
            self.spill()?;
        }
        drop(self.run);
        let mut merged = Merged::new(self.spilled).map_err(failed(&self.folder))?;
        while let Some(row) = merged.next().map_err(failed(&self.folder))? {
            take(row.borrowed())?;
        }
        Ok(())
    }
}

fn failed(folder: &Path) -> impl Fn(io::Error) -> OnlineError {
    |source| OnlineError::Folder { doing: "sort rows in", dir: folder.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use bedplate_features::{EntityKey, KeyValue, RowId};
    use bedplate_kinds::{ColumnType, JoinKey};
    use proptest::prelude::*;

    use super::*;
    use crate::layout::{write_key, write_value};

    fn row(entity: i64, time: i64, id: Option<i64>, value: f64) -> SourceRow {
        let key = JoinKey { name: "k".into(), type_: ColumnType::Int64 };
        let key = EntityKey::from_values(&[key], &[KeyValue::Int(entity)]).unwrap().unwrap();
        SourceRow { key, time, created: None, id: id.map(RowId::Int), values: vec![Some(value)] }
    }

    type Stored = (Vec<u8>, usize, Vec<u8>);

    fn naive(rows: &[SourceRow]) -> Vec<Stored> {
        let mut all = std::collections::BTreeMap::<Vec<u8>, (usize, Vec<u8>)>::new();
        for row in rows {
            let (mut key, mut value) = (Vec::new(), Vec::new());
            write_key(row, &mut key);
            write_value(row, &mut value);
            let kept = all.entry(key).or_insert_with(|| (row.key.as_bytes().len(), value.clone()));
            if kept.1 < value {
                kept.1 = value;
            }
        }
        all.into_iter().map(|(key, (entity, value))| (key, entity, value)).collect()
    }

    proptest! {
        #[test]
        fn rows_come_sorted_and_once(
            rows in prop::collection::vec((-3..3_i64, -3..3_i64, prop::option::of(0..3_i64), -2..2_i8), 0..60),
            held in 0..400_usize,
        ) {
            let rows: Vec<_> = rows.into_iter().map(|(e, t, id, v)| row(e, t, id, f64::from(v))).collect();
            let folder = tempfile::tempdir().unwrap();
            let mut sorter = Sorter::holding(folder.path(), held);
            for row in &rows {
                sorter.push(row).unwrap();
            }
            let mut found = Vec::<Stored>::new();
            sorter.each(|row| {
                found.push((row.key.to_vec(), row.entity, row.value.to_vec()));
                Ok(())
            }).unwrap();
            prop_assert_eq!(found, naive(&rows));
            prop_assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}
