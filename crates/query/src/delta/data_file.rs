//! One Parquet file of a table: written under a hidden name, synced, then renamed. No commit, no row. Those of a partitioned
//! table lie in folders, `column=value`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bedplate_types::Digest;
use parquet::basic::{Compression, ZstdLevel};

use super::partition::{self, Partition};
use super::{Layout, TableError, TableFile};
use crate::ParquetWriter;

const HIDDEN: &str = ".unfinished-";

/// A finished file that no version has yet.
#[derive(Clone, Debug)]
pub(crate) struct DataFile {
    /// With the folders before it that lie in the table's.
    pub name: String,
    pub bytes: u64,
    pub rows: u64,
    pub partition: Partition,
}

/// Dropped before [`finish`](Self::finish), it removes what it wrote.
pub(crate) struct DataFileWriter {
    /// Of the table.
    dir: PathBuf,
    name: String,
    partition: Partition,
    rows: u64,
    writer: Option<ParquetWriter<File>>,
}

impl DataFileWriter {
    /// For rows of these columns, under a name of [`name_of`].
    pub fn whole(dir: &Path, name: String, schema: SchemaRef) -> Result<Self, TableError> {
        Self::named(dir, name, schema, Partition::new())
    }

    /// In the folder of a partition; its rows come without the columns that the layout does not store.
    pub fn of_partition(dir: &Path, name: &str, layout: &Layout, partition: Partition) -> Result<Self, TableError> {
        let folder = partition::folder(&layout.partition_by, &partition);
        Self::named(dir, format!("{folder}/{name}"), layout.stored(), partition)
    }

    /// In place of a file of the table, for its `version`.
    pub fn in_place_of(dir: &Path, file: &TableFile, version: i64, layout: &Layout) -> Result<Self, TableError> {
        Self::named(dir, name_in_place_of(&file.name, version), layout.stored(), file.partition.clone())
    }

    fn named(dir: &Path, name: String, schema: SchemaRef, partition: Partition) -> Result<Self, TableError> {
        let hidden = hidden(dir, &name);
        make_folders(dir, hidden.parent().unwrap_or(dir))?;
        let file = File::create(&hidden).map_err(TableError::io("create", &hidden))?;
        Ok(Self {
            dir: dir.to_owned(),
            name,
            partition,
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
        let hidden = hidden(&self.dir, &self.name);
        file.sync_all().map_err(TableError::io("sync", &hidden))?;
        let bytes = file.metadata().map_err(TableError::io("look at", &hidden))?.len();
        let path = self.dir.join(&self.name);
        fs::rename(&hidden, &path).map_err(TableError::io("rename to", &path))?;
        sync_dir(path.parent().unwrap_or(&self.dir))?;
        let (name, partition) = (self.name.clone(), std::mem::take(&mut self.partition));
        Ok(Some(DataFile { name, bytes, rows: self.rows, partition }))
    }
}

/// The file as long as it is written: hidden, in the same folder.
fn hidden(dir: &Path, name: &str) -> PathBuf {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    dir.join(folder).join(format!("{HIDDEN}{file}"))
}

/// Makes a folder below the table's durable.
fn make_folders(dir: &Path, folder: &Path) -> Result<(), TableError> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(TableError::io("make the folder", folder))?;
    let above = folder.ancestors().skip(1).take_while(|above| above.starts_with(dir));
    above.collect::<Vec<_>>().into_iter().try_for_each(sync_dir)
}

impl Drop for DataFileWriter {
    fn drop(&mut self) {
        // Already renamed after `finish`; otherwise nobody else removes it before the next sweep.
        let _ = fs::remove_file(hidden(&self.dir, &self.name));
    }
}

/// Removes what a killed ingest left in a table's folder: hidden files, and files for a version that never came.
/// Only under the table's writer lock.
pub(crate) fn sweep(dir: &Path, latest: Option<i64>) -> Result<(), TableError> {
    if !dir.is_dir() {
        return Ok(());
    }
    for (path, _) in in_folders(dir)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(HIDDEN)
            || meant_for(name).is_some_and(|version| latest.is_none_or(|latest| version > latest))
        {
            fs::remove_file(&path).map_err(TableError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// What lies in a table's folder and in those of its partitions, other than folders.
pub(crate) fn in_folders(dir: &Path) -> Result<Vec<(PathBuf, fs::FileType)>, TableError> {
    let (mut found, mut folders) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(TableError::io("list", &folder))? {
            let entry = entry.map_err(TableError::io("list", &folder))?;
            let kind = entry.file_type().map_err(TableError::io("look at", &folder))?;
            if !kind.is_dir() {
                found.push((entry.path(), kind));
            } else if entry.file_name().to_string_lossy().contains('=') {
                folders.push(entry.path());
            }
        }
    }
    Ok(found)
}

/// The name of a new file: `version` is the table version it is meant for; with the digest no other version uses it.
pub(crate) fn name_of(version: i64, input: &Digest) -> String {
    format!("part-{version:020}-{}.parquet", input.short())
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
        let parted = name_in_place_of("day=2026-01-31/part-00000000000000000003-abc.parquet", 17);
        assert_eq!(parted, "day=2026-01-31/part-00000000000000000003-abc-00000000000000000017.parquet");
        let theirs = name_in_place_of("part-00001-1b9e-c000.snappy.parquet", 4);
        assert_eq!((meant_for(&theirs), meant_for("part-00001-1b9e-c000.snappy.parquet")), (Some(4), None));
    }
}
