//! Label rows of a table with the features of two others, in one piece and in many.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::compute::concat_batches;
use arrow::datatypes::Float64Type;
use bedplate_features::{FeatureDef, ViewDefinition};
use bedplate_kinds::{Aggregate, ColumnType, DatasetSpec, JoinKey};
use bedplate_lake::quality::References;
use bedplate_offline::{Labels, OfflineError, View, historical_features};
use bedplate_query::{CancellationToken, Ingest, Lake, TableRef, Whose};
use bedplate_types::{Digest, Explained, Span, Timestamp};
use parquet::arrow::ArrowWriter;
use serde_json::json;
use tempfile::TempDir;

const LABELS: i64 = 20_000;

struct Site {
    folder: TempDir,
    lake: Lake,
}

impl Site {
    /// Plane 0 to 9 is asked about each microsecond in turn; each has a row every ten, a carrier has one every 1,000.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = Self { lake: Lake::open(folder.path().join("lake")).unwrap(), folder };
        let asked = (0..LABELS).collect::<Vec<_>>();
        site.table("labels", &asked, |at| at % 10).await;
        site.table("planes", &asked.iter().copied().step_by(10).collect::<Vec<_>>(), |at| at / 10 % 10).await;
        site.table("carriers", &asked.iter().copied().step_by(1_000).collect::<Vec<_>>(), |_| 3).await;
        site
    }

    async fn table(&self, name: &str, moments: &[i64], plane: impl Fn(i64) -> i64) {
        let source = self.folder.path().join(format!("{name}.parquet"));
        let columns: [(&str, ArrayRef); 4] = [
            ("plane", Arc::new(moments.iter().map(|at| Some(plane(*at))).collect::<Int64Array>())),
            ("carrier", Arc::new(moments.iter().map(|at| Some(format!("C{}", plane(*at)))).collect::<StringArray>())),
            (
                "at",
                Arc::new(moments.iter().copied().map(Some).collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
            ),
            ("value", Arc::new(moments.iter().map(|at| Some(*at as f64)).collect::<Float64Array>())),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut writer = ArrowWriter::try_new(File::create(&source).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let column = |(name, type_): (&str, &str)| json!({"name": name, "type": type_});
        let columns =
            [("plane", "int64"), ("carrier", "string"), ("at", "timestamp"), ("value", "float64")].map(column);
        let spec = json!({"owner": "o", "classification": "public", "source": {"path": source, "format": "parquet"}, "schema": columns});
        let spec: DatasetSpec = serde_json::from_value(spec).unwrap();
        let roots = [source.parent().unwrap().canonicalize().unwrap()];
        let whose = Whose { namespace: "n", name, object: "", roots: &roots };
        let ingest = Ingest {
            whose,
            spec: &spec,
            suite: None,
            references: References::default(),
            pending: self.lake.pending(whose, &spec).await.unwrap(),
            input_digest: Digest::from_sha256([0; 32]),
            cancel: CancellationToken::new(),
        };
        self.lake.ingest(ingest).await.unwrap();
    }

    async fn labels(&self) -> Labels {
        Labels::of(&self.lake, &[table("labels")], "SELECT * FROM labels", "at").await.unwrap()
    }

    /// The joined rows in one batch, and in how many pieces they came.
    async fn joined(&self, memory: usize) -> (RecordBatch, usize) {
        let labels = self.labels().await;
        let views = [
            view("planes", "plane", ColumnType::Int64, None),
            view("carriers", "carrier", ColumnType::String, Some(400)),
        ];
        let mut pieces = Vec::new();
        let keep = |batch| -> Result<(), OfflineError> {
            pieces.push(batch);
            Ok(())
        };
        let rows = historical_features(&self.lake, labels, &views, memory, keep).await.unwrap();
        let joined = concat_batches(&pieces[0].schema(), &pieces).unwrap();
        assert_eq!(rows, joined.num_rows());
        (joined, pieces.len())
    }
}

fn table(name: &str) -> TableRef {
    TableRef { alias: name.into(), namespace: "n".into(), name: name.into(), version: None }
}

fn view(name: &str, key: &str, type_: ColumnType, ttl: Option<i64>) -> View {
    let feature = FeatureDef {
        name: "value".into(),
        column: "value".into(),
        aggregate: Aggregate::Last,
        window: None,
        quantile: None,
    };
    View {
        definition: ViewDefinition {
            name: name.into(),
            join_keys: vec![JoinKey { name: key.into(), type_ }],
            timestamp: Some("at".into()),
            created: None,
            ttl: ttl.map(Span::from_micros),
            features: vec![feature],
        },
        selected: vec![0],
        tables: vec![table(name)],
        sql: format!("SELECT {key}, at, value FROM {name}"),
        as_known_at: None,
    }
}

fn column(batch: &RecordBatch, name: &str) -> Vec<Option<f64>> {
    batch.column_by_name(name).unwrap().as_primitive::<Float64Type>().iter().collect()
}

#[tokio::test]
async fn each_label_row_has_what_was_known_at_its_moment() {
    let (joined, _) = Site::new().await.joined(usize::MAX).await;
    assert_eq!(joined.num_rows() as i64, LABELS);
    for (row, found) in column(&joined, "planes__value").into_iter().enumerate() {
        // Plane p has rows at 10 p, 10 p + 100 and so on.
        let (at, plane) = (row as i64, row as i64 % 10);
        let since = at - plane * 10;
        let wanted = (since >= 0).then(|| (since / 100 * 100 + plane * 10) as f64);
        assert_eq!(found, wanted, "at {at}");
    }
    for (row, found) in column(&joined, "carriers__value").into_iter().enumerate() {
        let wanted = (row % 10 == 3 && row % 1_000 <= 400).then_some((row / 1_000 * 1_000) as f64);
        assert_eq!(found, wanted, "at {row}");
    }
}

#[tokio::test]
async fn many_pieces_hold_what_one_holds() {
    let site = Site::new().await;
    let (whole, one) = site.joined(usize::MAX).await;
    let (pieced, many) = site.joined(1).await;
    assert_eq!(one, 1);
    assert!(many > 1, "{many} pieces");
    assert_eq!(whole, pieced);
}

#[tokio::test]
async fn a_view_whose_source_lost_a_column_is_named() {
    let site = Site::new().await;
    let labels = site.labels().await;
    let mut lost = view("planes", "plane", ColumnType::Int64, None);
    lost.sql = "SELECT plane, at FROM planes".into();
    let error = historical_features(&site.lake, labels, &[lost], 1, |_| Ok::<(), OfflineError>(())).await.unwrap_err();
    assert_eq!(error.to_string(), "joining feature view planes");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("has no column \"value\"; it has plane, at"), "{source}");
    assert_eq!(error.kind(), bedplate_types::ErrorKind::Invalid);
}

#[tokio::test]
async fn a_correction_counts_from_the_moment_it_was_created_on() {
    let site = Site::new().await;
    // Each row is taken back, 15,000 microseconds after it was written.
    let sql = "SELECT plane, at, to_timestamp_micros(CAST(value AS BIGINT)) AS made, value FROM planes UNION ALL \
               SELECT plane, at, to_timestamp_micros(CAST(value AS BIGINT) + 15000) AS made, -value AS value FROM planes";
    let mut corrected = view("planes", "plane", ColumnType::Int64, None);
    corrected.sql = sql.to_owned();
    corrected.definition.created = Some("made".into());
    for (cutoff, corrections_until) in [(None, LABELS), (Some(20_000), 5_000), (Some(14_999), -1)] {
        corrected.as_known_at = cutoff.map(Timestamp::from_micros);
        let (mut found, views) = (Vec::new(), [corrected.clone()]);
        let keep = |batch| -> Result<(), OfflineError> {
            found.extend(column(&batch, "planes__value"));
            Ok(())
        };
        historical_features(&site.lake, site.labels().await, &views, usize::MAX, keep).await.unwrap();
        for (row, found) in found.into_iter().enumerate() {
            let (at, plane) = (row as i64, row as i64 % 10);
            let since = at - plane * 10;
            let written = since / 100 * 100 + plane * 10;
            let is_seen = since >= 0 && cutoff.is_none_or(|cutoff| written <= cutoff);
            if is_seen {
                let wanted = if written <= corrections_until { -written } else { written };
                assert_eq!(found, Some(wanted as f64), "at {at}, as known at {cutoff:?}");
            }
        }
    }
}
