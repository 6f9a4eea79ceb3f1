//! New rows of a table on their way into its files: one, or one for each partition.

use std::collections::HashSet;
use std::path::Path;

use arrow::array::RecordBatch;

use super::parted::Parted;
use super::{DataFile, DataFileWriter, Layout, TableError, TableFile};

/// Dropped before [`finish`](Self::finish), it removes what it wrote.
pub(crate) enum TableWriter {
    Whole(Box<DataFileWriter>),
    Parted(Box<Parted>),
}

impl TableWriter {
    /// `name` is that of the new files in their folders. The table keeps `kept` beside them.
    pub fn new(dir: &Path, name: String, layout: &Layout, kept: &[TableFile]) -> Result<Self, TableError> {
        if layout.partition_by.is_empty() {
            return Ok(Self::Whole(Box::new(DataFileWriter::whole(dir, name, layout.schema.clone())?)));
        }
        let had: HashSet<_> = kept.iter().map(|file| file.partition.clone()).collect();
        Ok(Self::Parted(Box::new(Parted::new(dir, name, layout.clone(), had)?)))
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        match self {
            Self::Whole(writer) => writer.write(batch),
            Self::Parted(writer) => writer.write(batch),
        }
    }

    /// Makes the files durable; none where there are no rows. `go_on` may stop it, and what was written is swept later.
    pub fn finish<E: From<TableError>>(self, go_on: impl Fn() -> Result<(), E>) -> Result<Vec<DataFile>, E> {
        match self {
            Self::Whole(writer) => Ok(writer.finish()?.into_iter().collect()),
            Self::Parted(writer) => writer.finish(go_on),
        }
    }
}
