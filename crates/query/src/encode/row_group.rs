//! One row group, its columns encoded side by side.

use std::io::Write;
use std::num::NonZero;
use std::thread;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parking_lot::Mutex;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;

use super::{Layout, dictionary};

/// Fewer rows are encoded sooner than threads are started.
const FEW_ROWS: usize = 8192;

pub(super) struct Encoder<W: Write + Send> {
    schema: SchemaRef,
    file: SerializedFileWriter<W>,
    columns: ArrowRowGroupWriterFactory,
    threads: usize,
}

impl<W: Write + Send> Encoder<W> {
    /// `first` are the rows by which is decided how columns are encoded.
    pub fn new(file: W, layout: &Layout, first: &[RecordBatch]) -> Result<Self, ParquetError> {
        let schema = layout.schema.clone();
        let properties = dictionary::properties(&schema, first, layout.compression);
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))?;
        let (file, columns) = writer.into_serialized_writer()?;
        Ok(Self { schema, file, columns, threads: thread::available_parallelism().map_or(1, NonZero::get) })
    }

    pub fn encode(&mut self, group: &[RecordBatch]) -> Result<(), ParquetError> {
        let number = self.file.flushed_row_groups().len();
        let columns = self.by_field(self.columns.create_column_writers(number)?);
        let rows: usize = group.iter().map(RecordBatch::num_rows).sum();
        let threads = if rows < FEW_ROWS { 1 } else { self.threads.min(columns.len()) };
        let chunks = side_by_side(columns, group, threads)?;
        let mut written = self.file.next_row_group()?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut written)?;
        }
        written.close().map(drop)
    }

    pub fn finish(self) -> Result<W, ParquetError> {
        self.file.into_inner()
    }

    fn by_field(&self, writers: Vec<ArrowColumnWriter>) -> Vec<Column> {
        let mut columns: Vec<Column> =
            (0..self.schema.fields().len()).map(|field| Column { field, writers: Vec::new() }).collect();
        for (leaf, writer) in writers.into_iter().enumerate() {
            columns[self.file.schema_descr().get_column_root_idx(leaf)].writers.push(writer);
        }
        columns
    }
}

/// What is written of one field: of structs and lists several columns.
struct Column {
    field: usize,
    writers: Vec<ArrowColumnWriter>,
}

fn side_by_side(
    columns: Vec<Column>,
    group: &[RecordBatch],
    threads: usize,
) -> Result<Vec<ArrowColumnChunk>, ParquetError> {
    let encoded: Vec<_> = columns.iter().map(|_| Mutex::new(Ok(Vec::new()))).collect();
    let waiting = Mutex::new(columns.into_iter());
    let work = || {
        loop {
            let Some(column) = waiting.lock().next() else { break };
            let place = &encoded[column.field];
            *place.lock() = column.encode(group);
        }
    };
    if threads > 1 {
        thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    } else {
        work();
    }
    let mut chunks = Vec::new();
    for column in encoded {
        chunks.extend(column.into_inner()?);
    }
    Ok(chunks)
}

impl Column {
    fn encode(mut self, group: &[RecordBatch]) -> Result<Vec<ArrowColumnChunk>, ParquetError> {
        for batch in group {
            let leaves = compute_leaves(batch.schema_ref().field(self.field), batch.column(self.field))?;
            for (writer, leaf) in self.writers.iter_mut().zip(&leaves) {
                writer.write(leaf)?;
            }
        }
        self.writers.into_iter().map(ArrowColumnWriter::close).collect()
    }
}
