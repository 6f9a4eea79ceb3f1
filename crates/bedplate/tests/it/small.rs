//! The flights use case cut down to three weeks of January, so that a run takes seconds.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::AsArray;
use arrow::array::BooleanArray;
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use bedplate_types::Timestamp;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

pub fn example() -> PathBuf {
    bedplate_testkit::in_crate("../../examples/flights")
}

/// Writes the cut-down use case into `folder`.
pub fn write(folder: &Path) {
    fs::create_dir_all(folder.join("data")).unwrap();
    for entry in fs::read_dir(example()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "yaml") {
            let text = shrink(&fs::read_to_string(&path).unwrap());
            fs::write(folder.join(path.file_name().unwrap()), text).unwrap();
        }
    }
    for name in ["airlines", "airports", "planes"] {
        let file = format!("data/{name}.parquet");
        fs::copy(example().join(&file), folder.join(&file)).unwrap();
    }
    for name in ["flights", "weather"] {
        cut(&example().join(format!("data/{name}.parquet")), &folder.join(format!("data/{name}.parquet")));
    }
}

fn shrink(manifest: &str) -> String {
    let changes = [
        ("2013-07-01T04:00:00Z", "2013-01-14T05:00:00Z"),
        ("2013-12-01T05:00:00Z", "2013-01-18T05:00:00Z"),
        ("min: 300000", "min: 10000"),
        ("limit: 10000", "limit: 300"),
        ("metric: auc, min: 0.74", "metric: auc, min: 0.6"),
        ("budget: 0.5", "budget: 0.2"),
    ];
    changes.iter().fold(manifest.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Keeps the rows before 22 January.
fn cut(from: &Path, to: &Path) {
    let end: Timestamp = "2013-01-22T05:00:00Z".parse().unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(from).unwrap()).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(to).unwrap(), reader.schema().clone(), None).unwrap();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let times = cast(batch.column_by_name("time_hour").unwrap(), &utc).unwrap();
        let times = times.as_primitive::<TimestampMicrosecondType>();
        let kept: BooleanArray = times.iter().map(|time| time.map(|time| time < end.micros())).collect();
        writer.write(&filter_record_batch(&batch, &kept).unwrap()).unwrap();
    }
    writer.close().unwrap();
}

/// Changes one manifest of a written use case.
#[track_caller]
pub fn change(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from:?} is not in {file}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}
