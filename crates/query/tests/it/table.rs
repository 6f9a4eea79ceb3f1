//! A lake in a temporary folder and a small weather source.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, RecordBatch, StringArray, TimestampNanosecondArray};
use bedplate_kinds::{
    Between, Check, Column, ColumnType, DatasetSource, DatasetSpec, Expectation, ExpectationSuiteSpec, Over, Severity,
};
use bedplate_lake::quality::References;
use bedplate_query::{CancellationToken, Frame, Ingest, IngestError, IngestReport, Lake, TableRef, Whose};
use bedplate_types::Digest;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

pub const HOUR: i64 = 3_600_000_000;
pub const COLUMNS: [(&str, ColumnType); 4] = [
    ("origin", ColumnType::String),
    ("month", ColumnType::Int64),
    ("wind_speed", ColumnType::Float64),
    ("time_hour", ColumnType::Timestamp),
];

pub struct Site {
    pub dir: TempDir,
    pub lake: Lake,
}

impl Site {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let lake = Lake::open(dir.path().join("lake")).unwrap();
        Self { dir, lake }
    }

    pub fn source(&self, speeds: &[f64]) -> PathBuf {
        let path = self.dir.path().join("weather.parquet");
        write(&path, &weather(speeds));
        path
    }

    pub fn table(&self) -> PathBuf {
        self.lake.location("demo", "weather").unwrap()
    }

    pub async fn ingest(&self, speeds: &[f64], severity: Severity) -> Result<IngestReport, IngestError> {
        let source = self.source(speeds);
        let (spec, suite) = (spec(&COLUMNS), calm(severity));
        self.load(&source, &spec, Some(&suite)).await
    }

    /// Loads what lies at `source` as `spec` says.
    pub async fn load(
        &self,
        source: &Path,
        spec: &DatasetSpec,
        suite: Option<&ExpectationSuiteSpec>,
    ) -> Result<IngestReport, IngestError> {
        self.load_until(source, spec, suite, CancellationToken::new()).await
    }

    pub async fn load_until(
        &self,
        source: &Path,
        spec: &DatasetSpec,
        suite: Option<&ExpectationSuiteSpec>,
        cancel: CancellationToken,
    ) -> Result<IngestReport, IngestError> {
        let with = With { suite, cancel, ..With::default() };
        load_into(&self.lake, "weather", source, spec, with).await
    }

    pub async fn load_with(
        &self,
        source: &Path,
        suite: &ExpectationSuiteSpec,
        references: References,
    ) -> Result<IngestReport, IngestError> {
        let with = With { suite: Some(suite), references, ..With::default() };
        load_into(&self.lake, "weather", source, &spec(&COLUMNS), with).await
    }

    pub async fn rows(&self, name: &str, columns: &str) -> Frame {
        self.lake.sql(&[latest(name)], &format!("SELECT {columns} FROM t ORDER BY 1")).await.unwrap()
    }
}

#[derive(Default)]
pub struct With<'a> {
    pub suite: Option<&'a ExpectationSuiteSpec>,
    pub references: References,
    pub cancel: CancellationToken,
}

/// Loads what lies at `source` as `spec` says into the table `name`; sources may lie beside the lake.
pub async fn load_into(
    lake: &Lake,
    name: &str,
    source: &Path,
    spec: &DatasetSpec,
    with: With<'_>,
) -> Result<IngestReport, IngestError> {
    let path = source.to_str().unwrap().to_owned();
    let spec = DatasetSpec { source: DatasetSource { path, ..spec.source.clone() }, ..spec.clone() };
    let beside = lake.location("demo", name).unwrap().ancestors().nth(3).unwrap().canonicalize().unwrap();
    let roots = [beside];
    let whose = Whose { namespace: "demo", name, object: "one", roots: &roots };
    let pending = lake.pending(whose, &spec).await?;
    let input_digest = Digest::from_sha256([7; 32]);
    let With { suite, references, cancel } = with;
    lake.ingest(Ingest { whose, spec: &spec, suite, references, pending, input_digest, cancel }).await
}

pub fn latest(name: &str) -> TableRef {
    TableRef { alias: "t".into(), namespace: "demo".into(), name: name.into(), version: None }
}

/// As another program would write it: narrower integers, nanoseconds, one row an hour.
pub fn weather(speeds: &[f64]) -> RecordBatch {
    let rows = i64::try_from(speeds.len()).unwrap();
    let origins: StringArray = ["EWR", "JFK"].into_iter().cycle().take(speeds.len()).map(Some).collect();
    let hours: TimestampNanosecondArray = (0..rows).map(|hour| Some(hour * HOUR * 1_000)).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("time_hour", Arc::new(hours.with_timezone("UTC")) as ArrayRef, true),
        ("origin", Arc::new(origins), true),
        ("month", Arc::new(Int32Array::from(vec![1; speeds.len()])), true),
        ("wind_speed", Arc::new(Float64Array::from(speeds.to_vec())), true),
    ])
    .unwrap()
}

pub fn write(path: &Path, batch: &RecordBatch) {
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

pub fn spec(columns: &[(&str, ColumnType)]) -> DatasetSpec {
    let schema = columns.iter().map(|(name, type_)| Column {
        name: (*name).into(),
        type_: *type_,
        nullable: true,
        outcome: false,
        description: String::new(),
    });
    DatasetSpec {
        owner: "team".into(),
        description: String::new(),
        classification: Default::default(),
        tags: Default::default(),
        source: DatasetSource::at("weather.parquet"),
        time_column: None,
        schema: schema.collect(),
        partition_by: Vec::new(),
        constraints: Vec::new(),
        suite: None,
        column_masks: Vec::new(),
        row_filters: Vec::new(),
        terms: Vec::new(),
        retention: None,
    }
}

pub fn calm(severity: Severity) -> ExpectationSuiteSpec {
    let between = Between { column: "wind_speed".into(), min: Some(0.0), max: Some(200.0) };
    let check = Check { between: Some(between), ..Check::default() };
    let expectation = Expectation { name: "wind is possible".into(), severity, mostly: None, over: Over::Load, check };
    ExpectationSuiteSpec { expectations: vec![expectation] }
}
