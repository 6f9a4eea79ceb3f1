//! Snapshots: rows pinned under the digest of their bytes. The same batches make the same bytes, and so the same digest.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bedplate_objects::{ObjectError, Objects};
use bedplate_types::{Digest, ErrorKind, Explained};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::Frame;

#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("a snapshot needs at least one batch: without one it has no columns")]
    NoBatch,
    #[error("cannot write a snapshot")]
    Write(#[source] ParquetError),
    #[error("the snapshot {} is corrupt: {why}", path.display())]
    Corrupt { path: PathBuf, why: String },
    #[error("there is no snapshot {}", path.display())]
    NotFound { path: PathBuf },
    #[error(transparent)]
    Object(#[from] ObjectError),
}

impl Explained for SnapshotError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoBatch => ErrorKind::Invalid,
            Self::Write(_) => ErrorKind::Internal,
            Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Object(error) => error.kind(),
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Corrupt { path, .. } => {
                Some(format!("remove it (rm '{}') and make the training set again", path.display()))
            }
            Self::NotFound { .. } => Some("make the training set again".into()),
            Self::Object(error) => error.fix(),
            Self::NoBatch | Self::Write(_) => None,
        }
    }
}

/// Stores the batches as one Parquet object; a batch without rows is enough to name the columns.
pub fn write_snapshot(objects: &Objects, batches: &[RecordBatch]) -> Result<Digest, SnapshotError> {
    let schema = batches.first().ok_or(SnapshotError::NoBatch)?.schema();
    write(objects, schema, batches)
}

/// Stores a frame as one Parquet object.
pub fn write_frame(objects: &Objects, frame: &Frame) -> Result<Digest, SnapshotError> {
    write(objects, frame.schema.clone(), &frame.batches)
}

fn write(objects: &Objects, schema: SchemaRef, batches: &[RecordBatch]) -> Result<Digest, SnapshotError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by("bedplate".into())
        .build();
    let writer = ArrowWriter::try_new(objects.writer()?, schema, Some(properties));
    let mut writer = writer.map_err(SnapshotError::Write)?;
    for batch in batches {
        writer.write(batch).map_err(SnapshotError::Write)?;
    }
    Ok(writer.into_inner().map_err(SnapshotError::Write)?.finish()?)
}

/// Reads the batches of a snapshot's file; see [`Objects::path`]. At least one batch comes back, be it empty.
pub fn read_snapshot(path: &Path) -> Result<Vec<RecordBatch>, SnapshotError> {
    let file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => SnapshotError::NotFound { path: path.to_owned() },
        _ => SnapshotError::Corrupt { path: path.to_owned(), why: error.to_string() },
    })?;
    let corrupt = |why: String| SnapshotError::Corrupt { path: path.to_owned(), why };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| corrupt(error.to_string()))?;
    let schema = builder.schema().clone();
    let reader = builder.with_batch_size(64 * 1024).build().map_err(|error| corrupt(error.to_string()))?;
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(|error| corrupt(error.to_string()))?;
    Ok(if batches.is_empty() { vec![RecordBatch::new_empty(schema)] } else { batches })
}
