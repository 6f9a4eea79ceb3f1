//! A small table with one column of each kind that checks look at.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use bedplate_kinds::{Check, Column, ColumnType, DatasetSource, DatasetSpec, Expectation, Over, Severity};

pub const HOUR: i64 = 3_600_000_000;

/// origin, speed, count, hour.
pub type Row = (Option<String>, Option<f64>, Option<i64>, Option<i64>);

pub fn spec() -> DatasetSpec {
    let column = |name: &str, type_| Column {
        name: name.into(),
        type_,
        nullable: true,
        outcome: false,
        description: String::new(),
    };
    DatasetSpec {
        owner: "team".into(),
        description: String::new(),
        classification: Default::default(),
        tags: Default::default(),
        source: DatasetSource::at("weather.parquet"),
        time_column: None,
        schema: vec![
            column("origin", ColumnType::String),
            column("speed", ColumnType::Float64),
            column("count", ColumnType::Int64),
            column("at", ColumnType::Timestamp),
        ],
        partition_by: Vec::new(),
        constraints: Vec::new(),
        suite: None,
        column_masks: Vec::new(),
        row_filters: Vec::new(),
        terms: Vec::new(),
        retention: None,
    }
}

pub fn batch(rows: &[Row]) -> RecordBatch {
    let origin: StringArray = rows.iter().map(|row| row.0.as_deref()).collect();
    let speed: Float64Array = rows.iter().map(|row| row.1).collect();
    let count: Int64Array = rows.iter().map(|row| row.2).collect();
    let at: TimestampMicrosecondArray = rows.iter().map(|row| row.3.map(|hour| hour * HOUR)).collect();
    let columns: [(&str, ArrayRef); 4] = [
        ("origin", Arc::new(origin)),
        ("speed", Arc::new(speed)),
        ("count", Arc::new(count)),
        ("at", Arc::new(at.with_timezone("UTC"))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

pub fn row(origin: &str, speed: f64, count: i64, hour: i64) -> Row {
    (Some(origin.into()), Some(speed), Some(count), Some(hour))
}

pub fn expect(name: &str, severity: Severity, check: Check) -> Expectation {
    Expectation { name: name.into(), severity, mostly: None, over: Over::Load, check }
}
