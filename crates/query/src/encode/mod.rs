//! Rows into a Parquet file, by all processors: while one row group is encoded, column beside column, the next is gathered.

mod background;
mod dictionary;
mod row_group;

use std::io::Write;
use std::mem;

use arrow::array::{Array, ArrayRef, MutableArrayData, RecordBatch, make_array};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use parquet::basic::Compression;
use parquet::errors::ParquetError;

use background::Background;
use row_group::Encoder;

/// Rows of one group; with [`GROUP_BYTES`] it bounds what is held in memory: one group gathered, one being encoded.
const GROUP_ROWS: usize = 128 * 1024;
const GROUP_BYTES: usize = 16 << 20;

/// Writes a Parquet file. The same batches make the same bytes.
pub struct ParquetWriter<W: Write + Send + 'static> {
    layout: Layout,
    gathered: Gathered,
    /// None once something failed.
    stage: Option<Stage<W>>,
}

struct Layout {
    schema: SchemaRef,
    compression: Compression,
}

enum Stage<W: Write + Send + 'static> {
    /// A file of one group needs no thread.
    First(W),
    Later(Background<W>),
}

#[derive(Default)]
struct Gathered {
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl Gathered {
    /// Takes as many of the rows as the group has place for, and gives those that are left.
    fn take(&mut self, batch: &RecordBatch) -> Option<RecordBatch> {
        let taken = batch.num_rows().min(GROUP_ROWS - self.rows);
        let rows = batch.slice(0, taken);
        self.rows += taken;
        self.bytes +=
            rows.columns().iter().filter_map(|column| column.to_data().get_slice_memory_size().ok()).sum::<usize>();
        self.batches.push(rows);
        (taken < batch.num_rows()).then(|| batch.slice(taken, batch.num_rows() - taken))
    }

    fn is_full(&self) -> bool {
        self.rows == GROUP_ROWS || self.bytes >= GROUP_BYTES
    }
}

impl<W: Write + Send + 'static> ParquetWriter<W> {
    #[must_use]
    pub fn new(file: W, schema: SchemaRef, compression: Compression) -> Self {
        let layout = Layout { schema, compression };
        Self { layout, gathered: Gathered::default(), stage: Some(Stage::First(file)) }
    }

    /// Adds rows with the writer's columns. They are in the file once [`finish`](Self::finish) has returned.
    ///
    /// # Errors
    /// When rows written before could not be encoded, or the disk fails; and from then on.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        let mut rest = (batch.num_rows() > 0).then(|| batch.clone());
        while let Some(rows) = rest {
            rest = self.gathered.take(&rows);
            if self.gathered.is_full() {
                let group = mem::take(&mut self.gathered).batches;
                let stage = self.stage.take().ok_or_else(background::stopped)?;
                self.stage = Some(Stage::Later(stage.hand_over(&self.layout, group)?));
                rest = rest.map(apart).transpose()?;
            }
        }
        Ok(())
    }

    /// Ends the file and gives back what it was written to.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn finish(self) -> Result<W, ParquetError> {
        let mut encoder = match self.stage.ok_or_else(background::stopped)? {
            Stage::First(file) => Encoder::new(file, &self.layout, &self.gathered.batches)?,
            Stage::Later(background) => background.end()?,
        };
        if self.gathered.rows > 0 {
            encoder.encode(&self.gathered.batches)?;
        }
        encoder.finish()
    }
}

/// Rows of a large batch that wait for others are copied: the batch may go meanwhile.
fn apart(rows: RecordBatch) -> Result<RecordBatch, ParquetError> {
    if rows.num_rows() >= GROUP_ROWS {
        return Ok(rows);
    }
    let copy = |column: &ArrayRef| {
        let data = column.to_data();
        let mut copied = MutableArrayData::new(vec![&data], false, data.len());
        copied.try_extend(0, 0, data.len())?;
        Ok::<_, ArrowError>(make_array(copied.freeze()))
    };
    Ok(RecordBatch::try_new(rows.schema(), rows.columns().iter().map(copy).collect::<Result<_, _>>()?)?)
}

impl<W: Write + Send + 'static> Stage<W> {
    fn hand_over(self, layout: &Layout, group: Vec<RecordBatch>) -> Result<Background<W>, ParquetError> {
        let background = match self {
            Self::First(file) => Background::start(Encoder::new(file, layout, &group)?)?,
            Self::Later(background) => background,
        };
        background.encode(group)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Seek};
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, StringArray};
    use arrow::compute::concat_batches;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::basic::Encoding;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    /// Keys that repeat, numbers that do not, and texts with nulls.
    fn rows(count: usize) -> RecordBatch {
        let keys: Int64Array = (0..count as i64).map(|row| Some(row * 7919 % 50)).collect();
        let numbers: Float64Array = (0..count).map(|row| Some((row as f64).sqrt())).collect();
        let texts: StringArray = (0..count).map(|row| (row % 3 > 0).then(|| format!("text {}", row % 11))).collect();
        let columns: [(&str, ArrayRef); 3] =
            [("key", Arc::new(keys)), ("number", Arc::new(numbers)), ("text", Arc::new(texts))];
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, values)| (name, values, true))).unwrap()
    }

    fn written(rows: &RecordBatch, pieces: usize) -> File {
        let mut writer = ParquetWriter::new(tempfile::tempfile().unwrap(), rows.schema(), Compression::SNAPPY);
        for start in (0..rows.num_rows()).step_by(pieces) {
            writer.write(&rows.slice(start, pieces.min(rows.num_rows() - start))).unwrap();
        }
        writer.finish().unwrap()
    }

    fn bytes_of(mut file: &File) -> Vec<u8> {
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_written_is_read_and_the_same_each_time() {
        for count in [0, 1, 5_000, GROUP_ROWS, 2 * GROUP_ROWS + 77_777] {
            let rows = rows(count);
            let file = written(&rows, 10_000);
            assert!(bytes_of(&file) == bytes_of(&written(&rows, 10_000)), "{count}");
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
            assert_eq!(reader.metadata().num_row_groups(), count.div_ceil(GROUP_ROWS));
            assert_eq!(reader.schema().fields(), rows.schema().fields());
            let back: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
            assert_eq!(concat_batches(&rows.schema(), &back).unwrap(), rows);
        }
    }

    #[test]
    fn only_columns_that_repeat_have_a_dictionary() {
        let file = SerializedFileReader::new(written(&rows(40_000), 40_000)).unwrap();
        let columns = file.metadata().row_group(0).columns();
        let have: Vec<bool> =
            columns.iter().map(|column| column.encodings().any(|is| is == Encoding::RLE_DICTIONARY)).collect();
        assert_eq!(have, [true, false, true]);
    }

    /// A disk that is full from some byte on.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or_else(|| std::io::Error::other("it is full"))?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_told_to_who_writes_on() {
        let rows = rows(GROUP_ROWS);
        let mut writer = ParquetWriter::new(Full(1000), rows.schema(), Compression::SNAPPY);
        let error = (0..4).find_map(|_| writer.write(&rows).err()).unwrap();
        assert!(error.to_string().contains("it is full"), "{error}");
        assert!(writer.write(&rows).is_err());
        assert!(writer.finish().is_err());
        let mut writer = ParquetWriter::new(Full(1000), rows.schema(), Compression::SNAPPY);
        writer.write(&rows.slice(0, 5000)).unwrap();
        assert!(writer.finish().err().unwrap().to_string().contains("it is full"));
    }
}
