//! A lake with some tables, and the same statements over it here and on a cluster.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::json::LineDelimitedWriter;
use bedplate_kinds::{Column, ColumnType, DatasetSource, DatasetSpec, Mask};
use bedplate_lake::quality::References;
use bedplate_query::{
    Answer, CancellationToken, Cluster, Engine, Ingest, Lake, Limits, ReadError, Readable, Reader, Request,
    ShownColumn, Whose,
};
use bedplate_types::Digest;
use futures::StreamExt;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

const PEOPLE: [(&str, ColumnType); 7] = [
    ("id", ColumnType::Int64),
    ("name", ColumnType::String),
    ("email", ColumnType::String),
    ("ssn", ColumnType::String),
    ("age", ColumnType::Int64),
    ("salary", ColumnType::Int64),
    ("region", ColumnType::String),
];
const VISITS: [(&str, ColumnType); 4] = [
    ("visit", ColumnType::Int64),
    ("person", ColumnType::Int64),
    ("ward", ColumnType::String),
    ("cost", ColumnType::Float64),
];
/// Each version of `visits` has so many more rows.
const VISITED: i64 = 5_000;
pub const KEY: [u8; 32] = [7; 32];

pub struct Site {
    dir: TempDir,
    pub lake: Arc<Lake>,
}

fn text(values: Vec<Option<&str>>) -> ArrayRef {
    Arc::new(StringArray::from(values))
}

fn numbers(values: Vec<Option<i64>>) -> ArrayRef {
    Arc::new(Int64Array::from(values))
}

fn people() -> RecordBatch {
    let all = |values: [&'static str; 4]| text(values.map(Some).to_vec());
    RecordBatch::try_from_iter_with_nullable([
        ("id", numbers([1, 2, 3, 4].map(Some).to_vec()), true),
        ("name", all(["Ada", "Bob", "Cyd", "Dan"]), true),
        ("email", all(["ada@example.org", "bob@example.org", "cyd@example.org", "dan@example.org"]), true),
        ("ssn", all(["111-11", "222-22", "333-33", "444-44"]), true),
        ("age", numbers(vec![Some(36), Some(41), Some(99), Some(12)]), true),
        ("salary", numbers([71_001, 71_002, 71_003, 71_004].map(Some).to_vec()), true),
        ("region", all(["eu", "eu", "us-secret", "us-secret"]), true),
    ])
    .unwrap()
}

/// Every seventh is of nobody, every fifth has no ward; some are of persons who are not there.
fn visits(from: i64, to: i64) -> RecordBatch {
    let wards = ["north", "south", "east"];
    let ward = |n: i64| (n % 5 != 0).then(|| wards[usize::try_from(n % 3).unwrap()]);
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let costs: Float64Array = (from..to).map(|n| (n % 11 != 0).then_some((n % 400) as f64 / 4.0)).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("visit", numbers((from..to).map(Some).collect()), true),
        ("person", numbers((from..to).map(|n| (n % 7 != 0).then_some(n % 6)).collect()), true),
        ("ward", text((from..to).map(ward).collect()), true),
        ("cost", Arc::new(costs) as ArrayRef, true),
    ])
    .unwrap()
}

impl Site {
    /// `people`, `visits` in two versions, and the same in folders by ward.
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let lake = Arc::new(Lake::open(dir.path().join("lake")).unwrap());
        let site = Self { dir, lake };
        site.load("people", &PEOPLE, &people(), &[]).await;
        site.load("visits", &VISITS, &visits(0, VISITED), &[]).await;
        site.load("visits", &VISITS, &visits(0, 2 * VISITED), &[]).await;
        site.load("visits_by_ward", &VISITS, &visits(0, VISITED), &["ward"]).await;
        site
    }

    pub fn root(&self) -> &Path {
        self.lake.root()
    }

    async fn load(&self, name: &str, columns: &[(&str, ColumnType)], rows: &RecordBatch, partition_by: &[&str]) {
        let path = self.dir.path().join(format!("{name}.parquet"));
        write(&path, rows);
        let partition_by = partition_by.iter().map(|name| (*name).to_owned()).collect();
        let spec = DatasetSpec { partition_by, ..spec(columns, &path) };
        let roots: [PathBuf; 1] = [self.dir.path().canonicalize().unwrap()];
        let whose = Whose { namespace: "demo", name, object: "one", roots: &roots };
        let pending = self.lake.pending(whose, &spec).await.unwrap();
        let (input_digest, cancel) = (Digest::from_sha256([7; 32]), CancellationToken::new());
        let references = References::default();
        self.lake
            .ingest(Ingest { whose, spec: &spec, suite: None, references, pending, input_digest, cancel })
            .await
            .unwrap();
    }

    pub fn reader(&self, cluster: Option<Cluster>, limits: Limits) -> Reader {
        let reader = Reader::open(self.lake.clone(), limits, KEY).unwrap();
        reader.on(cluster.into_iter().map(Engine::Cluster).collect())
    }
}

fn write(path: &Path, batch: &RecordBatch) {
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn spec(columns: &[(&str, ColumnType)], path: &Path) -> DatasetSpec {
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
        source: DatasetSource::at(path.to_str().unwrap()),
        time_column: None,
        schema: schema.collect(),
        suite: None,
        column_masks: Vec::new(),
        row_filters: Vec::new(),
        partition_by: Vec::new(),
        constraints: Vec::new(),
        terms: Vec::new(),
        retention: None,
    }
}

fn readable(table: &str, columns: &[(&str, ColumnType)], masks: &[(&str, Mask)], filters: &[&str]) -> Readable {
    let mask = |column: &str| masks.iter().find(|(name, _)| *name == column).map(|(_, mask)| *mask);
    let columns = columns.iter().map(|(name, _)| ShownColumn { name: (*name).to_owned(), mask: mask(name) });
    let (dataset, version) = match table.split_once("@v") {
        Some((dataset, version)) => (dataset, version.parse().unwrap()),
        None => (table, i64::from(table == "visits")),
    };
    Readable {
        table: table.into(),
        dataset: dataset.into(),
        version,
        columns: columns.collect(),
        filters: filters.iter().map(|filter| (*filter).to_owned()).collect(),
    }
}

/// Everything of every table.
pub fn open() -> Vec<Readable> {
    ["people", "visits", "visits@v0", "visits_by_ward"]
        .map(|table| readable(table, if table == "people" { &PEOPLE } else { &VISITS }, &[], &[]))
        .to_vec()
}

/// E-mail addresses are hashed, numbers of persons are nullified, salaries hidden, and there is the region `eu` alone; of
/// visits the dearest are not there, and whose they are is hashed.
pub fn guarded() -> Vec<Readable> {
    let people = [("email", Mask::Hash), ("ssn", Mask::Nullify), ("salary", Mask::Hide), ("name", Mask::Redact)];
    vec![
        readable("people", &PEOPLE, &people, &["region = 'eu'"]),
        readable("visits", &VISITS, &[("person", Mask::Hash)], &["cost < 50 or cost is null"]),
        readable("visits_by_ward", &VISITS, &[("person", Mask::Hash)], &["ward <> 'south'"]),
    ]
}

pub async fn ask(reader: &Reader, tables: Vec<Readable>, sql: &str) -> Result<Answer, ReadError> {
    let named = reader.parse(sql).await?.tables;
    let tables = tables.into_iter().filter(|table| named.iter().any(|named| named.spelled() == table.table)).collect();
    reader.run(Request { namespace: "demo".into(), sql: sql.into(), tables, limit: None, engine: None }, drop).await
}

/// The rows as lines of JSON.
pub async fn rows(reader: &Reader, tables: Vec<Readable>, sql: &str) -> Result<Vec<String>, ReadError> {
    let mut answer = ask(reader, tables, sql).await?;
    let mut lines = LineDelimitedWriter::new(Vec::new());
    while let Some(batch) = answer.next().await.transpose()? {
        lines.write(&batch).unwrap();
    }
    lines.finish().unwrap();
    Ok(String::from_utf8(lines.into_inner()).unwrap().lines().map(str::to_owned).collect())
}
