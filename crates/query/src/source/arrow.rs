//! Arrow IPC, as a file or as a stream: <https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc>.
//!
//! A batch is read as a whole, so it has a largest size. What a file says of its own sizes is checked before memory is
//! asked for.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use ::arrow::array::RecordBatch;
use ::arrow::buffer::Buffer;
use ::arrow::datatypes::SchemaRef;
use ::arrow::ipc::reader::{FileReader, StreamDecoder, read_footer_length};
use ::arrow::ipc::{Block, root_as_footer};
use bedplate_kinds::Format;

use super::pieces::Pieces;
use super::{BATCH_ROWS, Opened, Reading, SourceError};

const MAGIC: &[u8] = b"ARROW1";
const END_OF_STREAM: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
const MOST_BATCH_BYTES: u64 = 512 << 20;
const MOST_FOOTER_BYTES: u64 = 64 << 20;
const CHUNK: usize = 1 << 20;

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, String>>>;

pub(super) fn pieces<'a>(opened: &'a Opened, reading: &'a Reading<'a>) -> Result<Pieces<'a>, SourceError> {
    let broken = move |why: String| opened.broken(Format::Arrow, None, why);
    let (schema, batches) = read(opened.file()?).map_err(broken)?;
    let conform = opened.conform(&schema, reading.spec)?;
    let batches = batches.flat_map(|batch| match batch {
        Ok(batch) => slices(&batch).into_iter().map(Ok).collect(),
        Err(why) => vec![Err(why)],
    });
    Ok(opened.conformed(conform, batches.map(move |batch| batch.map_err(broken))))
}

/// Of one memory; nothing is copied.
fn slices(batch: &RecordBatch) -> Vec<RecordBatch> {
    let rows = batch.num_rows();
    (0..rows).step_by(BATCH_ROWS).map(|at| batch.slice(at, BATCH_ROWS.min(rows - at))).collect()
}

fn read(mut file: File) -> Result<(SchemaRef, Batches), String> {
    let mut magic = [0; 6];
    let short = file.read_exact(&mut magic).is_err();
    file.rewind().map_err(told)?;
    if short {
        return Err("it has not even the length of a header".into());
    }
    if magic == MAGIC { of_file(file) } else { of_stream(file) }
}

fn of_file(mut file: File) -> Result<(SchemaRef, Batches), String> {
    check_sizes(&mut file)?;
    file.rewind().map_err(told)?;
    let reader = FileReader::try_new(BufReader::new(file), None).map_err(told)?;
    Ok((reader.schema(), Box::new(reader.map(|batch| batch.map_err(told)))))
}

/// Every block the footer tells of lies within the file, and none is too large.
fn check_sizes(file: &mut File) -> Result<(), String> {
    let bytes = file.metadata().map_err(told)?.len();
    let mut end = [0; 10];
    file.seek(SeekFrom::End(-10)).and_then(|_| file.read_exact(&mut end)).map_err(told)?;
    let length = read_footer_length(end).map_err(told)? as u64;
    let start = bytes.checked_sub(10 + length).filter(|_| length <= MOST_FOOTER_BYTES);
    let start = start.ok_or("its footer is longer than it can be")?;
    let mut footer = vec![0; usize::try_from(length).map_err(told)?];
    file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut footer)).map_err(told)?;
    let footer = root_as_footer(&footer).map_err(told)?;
    let mut blocks = footer.dictionaries().into_iter().flatten().chain(footer.recordBatches().into_iter().flatten());
    blocks.try_for_each(|block| check_block(block, bytes))
}

fn check_block(block: &Block, bytes: u64) -> Result<(), String> {
    let size = |size: i64| u64::try_from(size).map_err(|_| "its footer tells of a size below 0".to_owned());
    let length = size(block.bodyLength())?.saturating_add(size(block.metaDataLength().into())?);
    if length > MOST_BATCH_BYTES {
        return Err(too_large());
    }
    if length < 8 || size(block.offset())?.saturating_add(length) > bytes {
        return Err("its footer tells of a batch that is not in the file".into());
    }
    Ok(())
}

fn of_stream(mut file: File) -> Result<(SchemaRef, Batches), String> {
    let mut end = [0; 8];
    let read = file.seek(SeekFrom::End(-8)).and_then(|_| file.read_exact(&mut end));
    if read.is_err() || end != END_OF_STREAM {
        return Err("it does not end as a stream ends: it was cut off, or is not Arrow".into());
    }
    file.rewind().map_err(told)?;
    let mut stream = Stream { file, decoder: StreamDecoder::new(), buffer: Buffer::from_vec(Vec::<u8>::new()), fed: 0 };
    let first = stream.next().transpose()?;
    let schema = stream.decoder.schema().ok_or("it has no schema")?;
    Ok((schema, Box::new(first.map(Ok).into_iter().chain(stream))))
}

struct Stream {
    file: File,
    decoder: StreamDecoder,
    buffer: Buffer,
    /// Bytes since the last batch.
    fed: u64,
}

impl Stream {
    fn batch(&mut self) -> Result<Option<RecordBatch>, String> {
        loop {
            if let Some(batch) = self.decoder.decode(&mut self.buffer).map_err(told)? {
                self.fed = 0;
                return Ok(Some(batch));
            }
            let mut chunk = vec![0; CHUNK];
            let read = self.file.read(&mut chunk).map_err(told)?;
            if read == 0 {
                return self.decoder.finish().map(|()| None).map_err(told);
            }
            chunk.truncate(read);
            self.buffer = Buffer::from_vec(chunk);
            self.fed += read as u64;
            if self.fed > MOST_BATCH_BYTES {
                return Err(too_large());
            }
        }
    }
}

impl Iterator for Stream {
    type Item = Result<RecordBatch, String>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}

fn too_large() -> String {
    format!("a batch of it has more than {} MiB; write smaller ones", MOST_BATCH_BYTES >> 20)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn told(error: impl ToString) -> String {
    error.to_string()
}
