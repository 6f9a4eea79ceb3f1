//! Rows of a partitioned table on their way into files, one for each partition, in memory that does not grow with them.
//!
//! Rows are held by partition. When they are too many they go to a file without a name beside the table, partition behind
//! partition, and the next are held; in the end the rows of each partition are read back in the order they came. So one data
//! file is open at a time, however many partitions there are, and its row groups are as large as those of any other table.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow::row::{RowConverter, SortField};

use super::partition::{self, Partition};
use super::{DataFile, DataFileWriter, Layout, TableError};

/// Bytes of rows that are held.
const ROOM: usize = 128 << 20;
/// Partitions that a table may have: ten years of days. Each is a file more to open for who reads all of them.
pub(crate) const MOST_PARTITIONS: usize = 4_000;
/// What a batch of few rows takes beside them, for each column.
const OVERHEAD: usize = 256;

pub(crate) struct Parted {
    layout: Layout,
    dir: PathBuf,
    name: String,
    converter: RowConverter,
    /// Where a partition is in `parts`, by the bytes of its values.
    known: HashMap<Box<[u8]>, usize>,
    parts: Vec<Part>,
    /// Partitions that the table has already.
    had: HashSet<Partition>,
    limits: Limits,
    held: usize,
    spool: Option<(File, u64)>,
}

#[derive(Clone, Copy)]
struct Limits {
    room: usize,
    partitions: usize,
}

struct Part {
    partition: Partition,
    held: Vec<RecordBatch>,
    /// Where rows of it lie in the spool: from which byte, and how many.
    blocks: Vec<(u64, u64)>,
}

impl Parted {
    /// `name` is that of the files. The partitions that the table keeps are `had`.
    pub fn new(dir: &Path, name: String, layout: Layout, had: HashSet<Partition>) -> Result<Self, TableError> {
        let limits = Limits { room: ROOM, partitions: MOST_PARTITIONS };
        let fields = layout.partition_fields().into_iter().map(|field| SortField::new(field.data_type().clone()));
        let converter = RowConverter::new(fields.collect()).map_err(failed(dir))?;
        Ok(Self {
            layout,
            dir: dir.to_owned(),
            name,
            converter,
            known: HashMap::new(),
            parts: Vec::new(),
            had,
            limits,
            held: 0,
            spool: None,
        })
    }

    /// # Errors
    /// [`TableError::TooManyPartitions`] as soon as the table would have them.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let places = self.places(batch)?;
        let stored = self.layout.to_store(batch).map_err(failed(&self.dir))?;
        let mut order: Vec<usize> = (0..places.len()).collect();
        // Stable: the rows of a partition stay in their order.
        order.sort_by_key(|row| places[*row]);
        let indices: UInt32Array = order.iter().map(|row| u32::try_from(*row).ok()).collect();
        let sorted = take_record_batch(&stored, &indices).map_err(failed(&self.dir))?;
        self.held += sorted.get_array_memory_size();
        let mut start = 0;
        for run in order.chunk_by(|one, next| places[*one] == places[*next]) {
            self.parts[places[run[0]]].held.push(sorted.slice(start, run.len()));
            self.held += OVERHEAD * sorted.num_columns();
            start += run.len();
        }
        if self.held > self.limits.room { self.spill() } else { Ok(()) }
    }

    /// The partition of each row.
    fn places(&mut self, batch: &RecordBatch) -> Result<Vec<usize>, TableError> {
        let columns = self.layout.partition_by.iter().filter_map(|name| batch.column_by_name(name).cloned());
        let columns: Vec<ArrayRef> = columns.collect();
        let rows = self.converter.convert_columns(&columns).map_err(failed(&self.dir))?;
        let mut places = Vec::with_capacity(batch.num_rows());
        for (at, row) in rows.iter().enumerate() {
            let place = match self.known.get(row.as_ref()) {
                Some(place) => *place,
                None => self.begin(row.as_ref(), &columns, at)?,
            };
            places.push(place);
        }
        Ok(places)
    }

    fn begin(&mut self, key: &[u8], columns: &[ArrayRef], row: usize) -> Result<usize, TableError> {
        let mut partition = Partition::new();
        for (name, column) in self.layout.partition_by.iter().zip(columns) {
            let words = partition::words(&column.slice(row, 1)).map_err(failed(&self.dir))?;
            partition.insert(name.clone(), words.is_valid(0).then(|| words.value(0).to_owned()));
        }
        let place = self.parts.len();
        self.had.insert(partition.clone());
        if self.had.len() > self.limits.partitions {
            return Err(self.too_many());
        }
        self.parts.push(Part { partition, held: Vec::new(), blocks: Vec::new() });
        self.known.insert(key.into(), place);
        Ok(place)
    }

    fn too_many(&self) -> TableError {
        let values = |name: &String| self.had.iter().map(|partition| partition.get(name)).collect::<HashSet<_>>().len();
        let widest = self.layout.partition_by.iter().map(|name| (values(name), name)).max();
        let (values, column) = widest.map(|(values, name)| (values, name.clone())).unwrap_or_default();
        TableError::TooManyPartitions { location: self.dir.clone(), column, values, most: self.limits.partitions }
    }

    fn spill(&mut self) -> Result<(), TableError> {
        if self.spool.is_none() {
            fs::create_dir_all(&self.dir).map_err(TableError::io("make the folder", &self.dir))?;
            let file = tempfile::tempfile_in(&self.dir).map_err(TableError::io("make a file in", &self.dir))?;
            self.spool = Some((file, 0));
        }
        let Some((file, end)) = &mut self.spool else { return Ok(()) };
        for part in &mut self.parts {
            if part.held.is_empty() {
                continue;
            }
            let bytes = append(file, &part.held).map_err(failed(&self.dir))?;
            part.blocks.push((*end, bytes));
            part.held = Vec::new();
            *end += bytes;
        }
        self.held = 0;
        Ok(())
    }

    /// Writes the data files, in the order of their folders. `go_on` is asked between them, and between batches.
    pub fn finish<E: From<TableError>>(mut self, go_on: impl Fn() -> Result<(), E>) -> Result<Vec<DataFile>, E> {
        let mut files = Vec::with_capacity(self.parts.len());
        let mut parts = std::mem::take(&mut self.parts);
        parts.sort_by_cached_key(|part| partition::folder(&self.layout.partition_by, &part.partition));
        for part in parts {
            let mut writer = DataFileWriter::of_partition(&self.dir, &self.name, &self.layout, part.partition)?;
            for (start, bytes) in part.blocks {
                let Some((file, _)) = &mut self.spool else { continue };
                file.seek(SeekFrom::Start(start)).map_err(TableError::io("read back rows in", &self.dir))?;
                let reader = StreamReader::try_new(BufReader::new((&*file).take(bytes)), None);
                for batch in reader.map_err(failed(&self.dir))? {
                    go_on()?;
                    writer.write(&batch.map_err(failed(&self.dir))?)?;
                }
            }
            part.held.iter().try_for_each(|batch| writer.write(batch))?;
            go_on()?;
            files.extend(writer.finish()?);
        }
        Ok(files)
    }
}

/// Appends the batches, as one stream; how many bytes it has.
fn append(file: &mut File, batches: &[RecordBatch]) -> Result<u64, ArrowError> {
    let start = file.seek(SeekFrom::End(0))?;
    if let Some(first) = batches.first() {
        let mut writer = StreamWriter::try_new(BufWriter::new(&mut *file), &first.schema())?;
        batches.iter().try_for_each(|batch| writer.write(batch))?;
        writer.finish()?;
        writer.into_inner()?.flush()?;
    }
    Ok(file.stream_position()? - start)
}

fn failed(dir: &Path) -> impl FnOnce(ArrowError) -> TableError {
    move |error| TableError::write(dir)(error.into())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    fn layout() -> Layout {
        let fields = [("day", DataType::Utf8), ("n", DataType::Int64), ("of", DataType::Int64)];
        let fields = fields.map(|(name, type_)| Field::new(name, type_, true));
        Layout { schema: Arc::new(Schema::new(fields.to_vec())), partition_by: vec!["day".into(), "of".into()] }
    }

    fn batch(from: i64, days: i64) -> RecordBatch {
        let numbers: Vec<i64> = (from..from + 1_000).collect();
        let day: StringArray = numbers.iter().map(|n| (n % days > 0).then(|| format!("d{}", n % days))).collect();
        let of: Int64Array = numbers.iter().map(|n| Some(n % 2)).collect();
        let columns: [ArrayRef; 3] = [Arc::new(day), Arc::new(Int64Array::from(numbers)), Arc::new(of)];
        RecordBatch::try_new(layout().schema, columns.to_vec()).unwrap()
    }

    fn parted(dir: &Path, room: usize, partitions: usize) -> Parted {
        let parted = Parted::new(dir, "a.parquet".into(), layout(), HashSet::new()).unwrap();
        Parted { limits: Limits { room, partitions }, ..parted }
    }

    struct Stopped;

    impl From<TableError> for Stopped {
        fn from(_: TableError) -> Self {
            Self
        }
    }

    #[derive(Debug)]
    struct Failed(#[expect(dead_code, reason = "what a failed test shows")] TableError);

    impl From<TableError> for Failed {
        fn from(error: TableError) -> Self {
            Self(error)
        }
    }

    fn numbers(dir: &Path, file: &DataFile) -> Vec<i64> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(dir.join(&file.name)).unwrap()).unwrap();
        assert_eq!(reader.schema().fields().len(), 1, "partition columns are not in files");
        let batches = reader.build().unwrap().map(Result::unwrap);
        batches.flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
    }

    #[test]
    fn rows_come_back_in_their_order_whether_they_were_held_or_not() {
        for room in [1, 60_000, ROOM] {
            let dir = tempfile::tempdir().unwrap();
            let mut parted = parted(dir.path(), room, 100);
            (0..7).for_each(|n| parted.write(&batch(n * 1_000, 6)).unwrap());
            assert_eq!(parted.spool.is_some(), room < ROOM);
            let files = parted.finish(|| Ok::<_, Failed>(())).unwrap();
            let folders: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
            assert_eq!(folders[0], "day=__HIVE_DEFAULT_PARTITION__/of=0/a.parquet");
            assert_eq!((folders.len(), folders[5]), (6, "day=d5/of=1/a.parquet"));
            for (rest, at) in [(0, 0), (5, 5)] {
                let expect: Vec<i64> = (0..7_000).filter(|n| n % 6 == rest).collect();
                assert_eq!(numbers(dir.path(), &files[at]), expect, "room for {room} bytes");
                assert_eq!(files[at].rows, expect.len() as u64);
            }
        }
    }

    #[test]
    fn too_many_partitions_are_refused_by_the_column_that_makes_them() {
        let dir = tempfile::tempdir().unwrap();
        let mut parted = parted(dir.path(), ROOM, 50);
        let error = parted.write(&batch(0, 500)).unwrap_err();
        assert!(matches!(&error, TableError::TooManyPartitions { column, most: 50, .. } if column == "day"), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn writing_can_be_stopped_between_files() {
        let dir = tempfile::tempdir().unwrap();
        let mut parted = parted(dir.path(), ROOM, 50);
        parted.write(&batch(0, 6)).unwrap();
        let asked = std::cell::Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            if asked.get() > 2 { Err(Stopped) } else { Ok(()) }
        };
        assert!(parted.finish(stop).is_err());
        assert_eq!(asked.get(), 3);
    }
}
