//! The orders that are judged: the same rows each time, most of them good.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use arrow::array::{
    ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

pub const ROWS: usize = 10_000_000;
const BATCH: usize = 100_000;
const STATUSES: [&str; 5] = ["new", "paid", "sent", "done", "void"];
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const START: i64 = 1_700_000_000_000_000;

/// Whether the ids are numbers up to the number of rows, or spread over all of 64 bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    Close,
    Apart,
}

pub fn write(file: &Path, rows: usize, ids: Ids) -> Result<()> {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut random = Random(SEED);
    let first = batch(&mut Random(SEED), 0..1, rows, ids)?;
    let mut writer = ArrowWriter::try_new(File::create(file)?, first.schema(), Some(properties))?;
    for from in (0..rows).step_by(BATCH) {
        writer.write(&batch(&mut random, from..(from + BATCH).min(rows), rows, ids)?)?;
    }
    writer.close()?;
    Ok(())
}

/// One row in a thousand has an amount, a quantity, a status and a code that are wrong; one in ten thousand an id again.
fn batch(random: &mut Random, part: Range<usize>, rows: usize, ids: Ids) -> Result<RecordBatch> {
    let numbers = || part.clone();
    let wrong = |row: usize, nth: usize| row % 1_000 == nth;
    let close = numbers().map(|row| shuffled(if row % 10_000 == 9_999 { row - 1 } else { row }, rows));
    let ids: Int64Array = close.map(|id| Some(if ids == Ids::Apart { apart(id) } else { id })).collect();
    let amounts: Float64Array = numbers()
        .map(|row| match random.next() % 50 {
            _ if wrong(row, 1) => Some(5_000.0),
            0 => None,
            _ => Some((random.next() % 100_000) as f64 / 100.0),
        })
        .collect();
    let quantities: Int32Array = numbers()
        .map(|row| if wrong(row, 2) { 0 } else { i32::try_from(random.next() % 100).unwrap_or(0) + 1 })
        .map(Some)
        .collect();
    let statuses: StringArray = numbers()
        .map(|row| if wrong(row, 3) { "lost" } else { STATUSES[(random.next() % 5) as usize] })
        .map(Some)
        .collect();
    let codes: StringArray =
        numbers().map(|row| if wrong(row, 4) { format!("x{row}") } else { code(random.next()) }).map(Some).collect();
    let times: TimestampMicrosecondArray = numbers().map(|row| Some(START + row as i64 * 1_000_000)).collect();
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("id", Arc::new(ids) as ArrayRef, true),
        ("amount", Arc::new(amounts), true),
        ("quantity", Arc::new(quantities), true),
        ("status", Arc::new(statuses), true),
        ("code", Arc::new(codes), true),
        ("at", Arc::new(times.with_timezone("UTC")), true),
    ])?)
}

/// Every id from 0 once, in no order: the multiplier has no factor in common with a power of ten.
fn shuffled(row: usize, rows: usize) -> i64 {
    (row as u64 * 7_654_321 % rows as u64) as i64
}

/// Each number another one, far away.
fn apart(id: i64) -> i64 {
    id.wrapping_mul(0x1e37_79b9_7f4a_7c15).rotate_left(29)
}

/// `KWD-0382`: 175 million of them.
fn code(random: u64) -> String {
    let letter = |at: u32| char::from(b'A' + ((random >> at) % 26) as u8);
    format!("{}{}{}-{:04}", letter(40), letter(48), letter(56), random % 10_000)
}

/// xorshift64*: fixed for all time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }
}
