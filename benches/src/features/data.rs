//! Label rows and three views' rows, written in order of time as a platform's event tables are, of a fixed seed.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

pub const DAY: i64 = 86_400_000_000;
/// 1 January 2024.
const START: i64 = 1_704_067_200_000_000;
const DAYS: i64 = 180;
const BATCH: usize = 100_000;

/// A view: its entity, how many of them there are for five million rows, its features and its TTL.
pub struct View {
    pub name: &'static str,
    pub key: &'static str,
    pub entities: u64,
    pub features: usize,
    pub ttl_days: Option<i64>,
}

pub const VIEWS: [View; 3] = [
    View { name: "items", key: "item_id", entities: 50_000, features: 6, ttl_days: Some(7) },
    View { name: "users", key: "user_id", entities: 200_000, features: 8, ttl_days: Some(30) },
    View { name: "shops", key: "shop_id", entities: 20_000, features: 4, ttl_days: None },
];

/// Writes `labels.parquet` and a file of `rows` rows for each view.
pub fn write(folder: &Path, rows: usize) -> Result<()> {
    let mut random = Random(42);
    let keys: Vec<(&str, u64)> = VIEWS.iter().map(|view| (view.key, view.entities)).collect();
    write_file(&folder.join("labels.parquet"), rows / 5, &keys, &["label".into()], &mut random)?;
    for view in &VIEWS {
        let file = folder.join(format!("{}.parquet", view.name));
        write_file(&file, rows, &[(view.key, view.entities)], &feature_names(view), &mut random)?;
    }
    Ok(())
}

/// The keys and values of [`write_large`].
pub const LARGE: ([&str; 2], [&str; 3]) = (["customer", "shop"], ["quantity", "amount", "score"]);

/// Writes `large.parquet`: six columns.
pub fn write_large(folder: &Path, rows: usize) -> Result<()> {
    let (keys, values) = LARGE;
    let keys: Vec<(&str, u64)> = keys.into_iter().zip([1_000_000, 1_000]).collect();
    write_file(&folder.join("large.parquet"), rows, &keys, &values.map(str::to_owned), &mut Random(42))
}

pub fn feature_names(view: &View) -> Vec<String> {
    (0..view.features).map(|feature| format!("{}_f{feature}", view.name)).collect()
}

fn write_file(path: &Path, rows: usize, keys: &[(&str, u64)], values: &[String], random: &mut Random) -> Result<()> {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer: Option<ArrowWriter<File>> = None;
    for start in (0..rows).step_by(BATCH) {
        let batch = batch(start..rows.min(start + BATCH), rows, keys, values, random)?;
        if writer.is_none() {
            writer = Some(ArrowWriter::try_new(File::create(path)?, batch.schema(), Some(properties.clone()))?);
        }
        if let Some(writer) = &mut writer {
            writer.write(&batch)?;
        }
    }
    writer.map(ArrowWriter::close).transpose()?;
    Ok(())
}

fn batch(
    range: std::ops::Range<usize>,
    rows: usize,
    keys: &[(&str, u64)],
    values: &[String],
    random: &mut Random,
) -> Result<RecordBatch> {
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for (name, entities) in keys {
        let ids: Int64Array = range.clone().map(|_| Some((random.next() % entities).cast_signed())).collect();
        columns.push(((*name).into(), Arc::new(ids)));
    }
    // One moment each: no two rows of an entity at the same one, whose order engines are free to choose.
    let step = DAYS * DAY / i64::try_from(rows)?;
    let within = |random: &mut Random| (random.next() % step.unsigned_abs()).cast_signed();
    let moments = range.clone().map(|row| Some(START + row as i64 * step + within(random)));
    columns.push(("at".into(), Arc::new(moments.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))));
    // Counts and measures by turns: of few values, and of as many as there are rows.
    for (name, values) in values.iter().zip([1_000, 1 << 32].into_iter().cycle()) {
        let numbers: Float64Array = range.clone().map(|_| Some((random.next() % values) as f64 / 64.0)).collect();
        columns.push((name.clone(), Arc::new(numbers)));
    }
    Ok(RecordBatch::try_from_iter(columns)?)
}

/// `SplitMix64` (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
