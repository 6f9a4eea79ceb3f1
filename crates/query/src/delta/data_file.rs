//! One Parquet file of a table: written under a hidden name, synced, then renamed. No commit, no row.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bedplate_types::Digest;
use parquet::basic::{Compression, ZstdLevel};

use super::TableError;
use crate::ParquetWriter;

const HIDDEN: &str = ".unfinished-";

/// A finished file that no version has yet.
#[derive(Clone, Debug)]
pub(crate) struct DataFile {
    pub name: String,
    pub bytes: u64,
    pub rows: u64,
}

/// Dropped before [`finish`](Self::finish), it removes what it wrote.
pub(crate) struct DataFileWriter {
    dir: PathBuf,
    name: String,
    rows: u64,
    writer: Option<ParquetWriter<File>>,
}

impl DataFileWriter {
    /// `version` is the table version the file is meant for; with the digest it makes a name no other version uses.
    pub fn create(dir: &Path, version: i64, input: &Digest, schema: SchemaRef) -> Result<Self, TableError> {
        Self::named(dir, format!("part-{version:020}-{}.parquet", input.short()), schema)
    }

    /// As [`create`](Self::create), under a name of [`name_in_place_of`].
    pub fn named(dir: &Path, name: String, schema: SchemaRef) -> Result<Self, TableError> {
        let hidden = dir.join(format!("{HIDDEN}{name}"));
        fs::create_dir_all(dir).map_err(TableError::io("make the folder", dir))?;
        let file = File::create(&hidden).map_err(TableError::io("create", &hidden))?;
        Ok(Self {
            dir: dir.to_owned(),
            name,
            rows: 0,
            writer: Some(ParquetWriter::new(file, schema, Compression::ZSTD(ZstdLevel::default()))),
        })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        self.rows += batch.num_rows() as u64;
        match &mut self.writer {
            Some(writer) => writer.write(batch).map_err(TableError::write(&self.dir)),
            None => Ok(()),
        }
    }

    /// Makes the file durable under its name; none when it has no rows.
    pub fn finish(mut self) -> Result<Option<DataFile>, TableError> {
        let Some(writer) = self.writer.take_if(|_| self.rows > 0) else { return Ok(None) };
        let file = writer.finish().map_err(TableError::write(&self.dir))?;
        let hidden = self.hidden();
        file.sync_all().map_err(TableError::io("sync", &hidden))?;
        let bytes = file.metadata().map_err(TableError::io("look at", &hidden))?.len();
        let path = self.dir.join(&self.name);
        fs::rename(&hidden, &path).map_err(TableError::io("rename to", &path))?;
        sync_dir(&self.dir)?;
        Ok(Some(DataFile { name: self.name.clone(), bytes, rows: self.rows }))
    }

    fn hidden(&self) -> PathBuf {
        self.dir.join(format!("{HIDDEN}{}", self.name))
    }
}

impl Drop for DataFileWriter {
    fn drop(&mut self) {
        // Already renamed after `finish`; otherwise nobody else removes it before the next sweep.
        let _ = fs::remove_file(self.hidden());
    }
}

/// Removes what a killed ingest left in a table's folder: hidden files, and files for a version that never came.
/// Only under the table's writer lock.
pub(crate) fn sweep(dir: &Path, latest: Option<i64>) -> Result<(), TableError> {
    if !dir.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(dir).map_err(TableError::io("list", dir))? {
        let path = entry.map_err(TableError::io("list", dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(HIDDEN)
            || meant_for(name).is_some_and(|version| latest.is_none_or(|latest| version > latest))
        {
            fs::remove_file(&path).map_err(TableError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// The name of a file that takes the place of another in `version`: it sorts where the other did, so that rows keep their
/// order.
pub(crate) fn name_in_place_of(name: &str, version: i64) -> String {
    let stem = name.strip_suffix(".parquet").unwrap_or(name);
    let first = stem.rsplit_once('-').filter(|(_, last)| number(last).is_some()).map_or(stem, |(first, _)| first);
    format!("{first}-{version:020}.parquet")
}

/// The version one of our own files was written for: what it says last.
fn meant_for(name: &str) -> Option<i64> {
    let stem = name.strip_suffix(".parquet")?;
    let rewritten = stem.rsplit_once('-').and_then(|(_, last)| number(last));
    rewritten.or_else(|| number(stem.strip_prefix("part-")?.split_once('-')?.0))
}

fn number(digits: &str) -> Option<i64> {
    (digits.len() == 20).then(|| digits.parse().ok())?
}

pub(super) fn sync_dir(dir: &Path) -> Result<(), TableError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(TableError::io("sync", dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_written_anew_keeps_its_place_and_says_its_version() {
        let first = "part-00000000000000000003-abc.parquet";
        let second = name_in_place_of(first, 17);
        assert_eq!(second, "part-00000000000000000003-abc-00000000000000000017.parquet");
        let third = name_in_place_of(&second, 18);
        assert_eq!(third, "part-00000000000000000003-abc-00000000000000000018.parquet");
        for (name, version) in [(first, 3), (&*second, 17), (&*third, 18)] {
            assert_eq!(meant_for(name), Some(version));
            assert!("part-00000000000000000002-zzz.parquet" < name && name < "part-00000000000000000004-aaa.parquet");
        }
        let theirs = name_in_place_of("part-00001-1b9e-c000.snappy.parquet", 4);
        assert_eq!((meant_for(&theirs), meant_for("part-00001-1b9e-c000.snappy.parquet")), (Some(4), None));
    }
}
