//! `load: merge`: rows take the place of those with their key. Copy on write: only data files with a row that is replaced are
//! written anew, without it; they and the new rows become one version together.
//!
//! Of each key a load brings, 16 bytes of a hash and where its last row stands are in memory: that bounds a load.

mod keys;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;

pub(super) use self::keys::Keys;
use super::IngestError;
use super::sinks::LOADED;
use crate::constraint::{ConstraintError, Constraints, Tally};
use crate::delta::rewrite;
use crate::delta::{DataFile, DataFileWriter, Layout, TableError, TableFile, TableWriter, name_in_place_of};

/// In place of a row: a later one is in the table.
const LATE: u64 = u64::MAX;

#[derive(Debug)]
pub(super) enum MergeError {
    TooMany { most: usize },
    Arrow(ArrowError),
    Table(TableError),
    Constraint(ConstraintError),
    Ingest(IngestError),
}

impl From<ArrowError> for MergeError {
    fn from(error: ArrowError) -> Self {
        Self::Arrow(error)
    }
}

impl From<TableError> for MergeError {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}

impl From<ConstraintError> for MergeError {
    fn from(error: ConstraintError) -> Self {
        Self::Constraint(error)
    }
}

/// What becomes of the table's files.
#[derive(Debug, Default)]
pub(super) struct Merged {
    /// The rows that were brought, those of them that stay.
    pub accepted: Vec<DataFile>,
    /// What is left of files with rows that were replaced.
    pub rewritten: Vec<DataFile>,
    /// The files in whose place they are.
    pub without: Vec<TableFile>,
    /// Rows of the table that were replaced.
    pub replaced: u64,
}

/// Where it is merged: the table's folder, its files, its columns and partitions, and the version it is for.
pub(super) struct Target<'a> {
    pub location: &'a Path,
    pub files: &'a [TableFile],
    pub layout: &'a Layout,
    pub constraints: &'a Arc<Constraints>,
    pub version: i64,
    /// Asked between batches.
    pub go_on: &'a dyn Fn() -> Result<(), IngestError>,
}

impl Target<'_> {
    /// Merges the rows of `accepted`, whose keys were noted in their order.
    pub fn merge(&self, accepted: Option<DataFile>, mut keys: Keys) -> Result<Merged, MergeError> {
        let Some(accepted) = accepted else { return Ok(Merged::default()) };
        let mut touched = Vec::new();
        for file in self.files {
            if keys.may_be_in(&file.partition) && self.is_touched(file, &mut keys)? {
                touched.push(file);
            }
        }
        self.judge(&mut keys)?;
        let mut merged = Merged::default();
        for file in touched {
            if let Some((rest, gone)) = self.without_replaced(file, &keys)? {
                merged.rewritten.extend(rest);
                merged.without.push(file.clone());
                merged.replaced += gone;
            }
        }
        merged.accepted = self.last_of_each(accepted, keys)?;
        Ok(merged)
    }

    /// The rows that stay of those that were brought.
    fn judge(&self, keys: &mut Keys) -> Result<(), MergeError> {
        let mut tally = Tally::new(self.constraints.clone(), LOADED);
        keys.take_breaches().into_values().for_each(|breach| tally.add(breach));
        Ok(tally.finish()?)
    }

    /// Whether the file has a row that is replaced. A key whose row there is later than what is brought is late.
    fn is_touched(&self, file: &TableFile, keys: &mut Keys) -> Result<bool, MergeError> {
        let path = self.location.join(&file.name);
        let reader = rewrite::open(&path)?;
        let groups = keys.groups(&reader)?;
        let is_there = |name: &String| file.partition.contains_key(name) || reader.schema().index_of(name).is_ok();
        let has_keys = keys.names.iter().all(is_there);
        if groups.is_empty() || !has_keys {
            return Ok(false);
        }
        let mut is_touched = false;
        let shape = keys.schema(&self.layout.schema)?;
        for batch in rewrite::rows(&path, reader.with_row_groups(groups), shape, &file.partition)? {
            (self.go_on)().map_err(MergeError::Ingest)?;
            let batch = batch?;
            let orders = keys.orders(&batch)?;
            for (at, key) in keys.hashes(&batch)?.into_iter().enumerate() {
                let Some(key) = key.filter(|key| keys.last.contains_key(key)) else { continue };
                let order = orders.as_ref().filter(|orders| orders.is_valid(at)).map(|orders| orders.value(at));
                is_touched |= !keys.is_late(key, order);
            }
        }
        Ok(is_touched)
    }

    /// The file's rows that are not replaced, and how many are; none when all of them stay.
    fn without_replaced(&self, file: &TableFile, keys: &Keys) -> Result<Option<(Option<DataFile>, u64)>, MergeError> {
        let path = self.location.join(&file.name);
        let mut writer = DataFileWriter::in_place_of(self.location, file, self.version, self.layout)?;
        let mut gone = 0;
        let shape = self.layout.schema.clone();
        for batch in rewrite::rows(&path, rewrite::open(&path)?, shape, &file.partition)? {
            (self.go_on)().map_err(MergeError::Ingest)?;
            let batch = batch?;
            let is_replaced =
                |key: Option<u128>| key.and_then(|key| keys.last.get(&key)).is_some_and(|last| last.row != LATE);
            let stays: BooleanArray = keys.hashes(&batch)?.into_iter().map(|key| Some(!is_replaced(key))).collect();
            gone += (batch.num_rows() - stays.true_count()) as u64;
            writer.write(&self.layout.to_store(&filter_record_batch(&batch, &stays)?)?)?;
        }
        Ok(if gone == 0 { None } else { Some((writer.finish()?, gone)) })
    }

    /// Of the rows that were brought, the last of each key that is not late.
    fn last_of_each(&self, brought: DataFile, keys: Keys) -> Result<Vec<DataFile>, MergeError> {
        let mut stay = vec![false; usize::try_from(brought.rows).unwrap_or_default()];
        let rows = keys.last.values().filter_map(|last| usize::try_from(last.row).ok());
        rows.filter(|row| *row < stay.len()).collect::<Vec<_>>().into_iter().for_each(|row| stay[row] = true);
        drop(keys);
        if self.layout.partition_by.is_empty() && stay.iter().all(|stays| *stays) {
            return Ok(vec![brought]);
        }
        let path = self.location.join(&brought.name);
        let name = name_in_place_of(&brought.name, self.version);
        let mut writer = TableWriter::new(self.location, name, self.layout, self.files)?;
        let (shape, mut at) = (self.layout.schema.clone(), 0);
        for batch in rewrite::rows(&path, rewrite::open(&path)?, shape, &brought.partition)? {
            (self.go_on)().map_err(MergeError::Ingest)?;
            let batch = batch?;
            let these = BooleanArray::from(stay[at..at + batch.num_rows()].to_vec());
            at += batch.num_rows();
            writer.write(&filter_record_batch(&batch, &these)?)?;
        }
        let last = writer.finish(|| (self.go_on)().map_err(MergeError::Ingest))?;
        std::fs::remove_file(&path).map_err(TableError::io("remove", &path))?;
        Ok(last)
    }
}
