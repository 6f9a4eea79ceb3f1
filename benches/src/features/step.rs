//! Our own side of each step, as the product does it: through the lake's tables.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use arrow::array::RecordBatch;
use bedplate_features::{FeatureDef, ViewDefinition};
use bedplate_kinds::{Aggregate, ColumnType, DatasetSpec, ExpectationSuiteSpec, JoinKey};
use bedplate_lake::quality::References;
use bedplate_offline::{Labels, OfflineError, Source, View, historical_features};
use bedplate_online::OnlineStore;
use bedplate_query::{CancellationToken, Ingest, Lake, ParquetWriter, TableRef, Whose};
use bedplate_types::{Digest, Span};
use clap::Subcommand;
use parquet::basic::Compression;
use serde_json::json;

use super::data::{self, DAY, VIEWS};

const NAMESPACE: &str = "bench";

#[derive(Subcommand)]
pub enum Step {
    /// The views' Parquet files and the label rows become Delta tables
    Ingest {
        #[arg(long)]
        folder: PathBuf,
    },
    /// A large Parquet file becomes a Delta table, judged
    IngestLarge {
        #[arg(long)]
        folder: PathBuf,
    },
    /// Label rows with every view's features become a Parquet file
    Join {
        #[arg(long)]
        folder: PathBuf,
        #[arg(long)]
        memory: usize,
    },
    /// The views' tables become rows of an online store
    Materialize {
        #[arg(long)]
        folder: PathBuf,
    },
}

/// As the product does it, which has no huge pages.
pub fn step(step: &Step) -> Result<ExitCode> {
    bedplate_allocator::without_huge_pages();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match step {
        Step::Ingest { folder } => runtime.block_on(ingest(folder))?,
        Step::IngestLarge { folder } => runtime.block_on(ingest_large(folder))?,
        Step::Join { folder, memory } => runtime.block_on(join(folder, *memory))?,
        Step::Materialize { folder } => materialize(&runtime, folder)?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn ingest(folder: &Path) -> Result<()> {
    let lake = Lake::open(folder.join("lake"))?;
    let keys: Vec<&str> = VIEWS.iter().map(|view| view.key).collect();
    ingest_one(&lake, folder, "labels", spec(folder, "labels", &keys, &["label".into()])?, None).await?;
    for view in &VIEWS {
        let spec = spec(folder, view.name, &[view.key], &data::feature_names(view))?;
        ingest_one(&lake, folder, view.name, spec, None).await?;
    }
    Ok(())
}

async fn ingest_large(folder: &Path) -> Result<()> {
    let lake = Lake::open(folder.join("lake"))?;
    let (keys, values) = data::LARGE;
    let mut spec = spec(folder, "large", &keys, &values.map(str::to_owned))?;
    let constraint = json!({ "name": "amount_is_possible", "expression": "amount >= 0" });
    spec.constraints = vec![serde_json::from_value(constraint)?];
    let suite: ExpectationSuiteSpec = serde_json::from_value(json!({ "expectations": [
        { "name": "somebody's", "check": { "notNull": { "column": "customer" } } },
        { "name": "possible", "check": { "between": { "column": "quantity", "min": 0, "max": 100 } } },
        { "name": "in order", "check": { "increasing": { "column": "at" } } },
        { "name": "usual", "severity": "block", "check": { "quantile": { "column": "score", "quantile": 0.5, "max": 100 } } },
    ] }))?;
    ingest_one(&lake, folder, "large", spec, Some(&suite)).await
}

async fn ingest_one(
    lake: &Lake,
    folder: &Path,
    name: &str,
    spec: DatasetSpec,
    suite: Option<&ExpectationSuiteSpec>,
) -> Result<()> {
    let roots = [folder.canonicalize()?];
    let whose = Whose { namespace: NAMESPACE, name, object: "", roots: &roots };
    let ingest = Ingest {
        whose,
        spec: &spec,
        suite,
        references: References::default(),
        pending: lake.pending(whose, &spec).await?,
        input_digest: Digest::from_sha256([0; 32]),
        cancel: CancellationToken::new(),
    };
    let report = lake.ingest(ingest).await?;
    // A figure of rows that were put aside is none.
    anyhow::ensure!(report.quarantined == 0, "{} of {} rows are in quarantine", report.quarantined, report.rows_read);
    Ok(())
}

fn spec(folder: &Path, name: &str, keys: &[&str], values: &[String]) -> Result<DatasetSpec> {
    let source = folder.join(format!("{name}.parquet"));
    let column = |name: &str, type_: &str| json!({"name": name, "type": type_});
    let keys = keys.iter().map(|key| column(key, "int64"));
    let values = values.iter().map(|value| column(value, "float64"));
    let columns: Vec<_> = keys.chain([column("at", "timestamp")]).chain(values).collect();
    let spec = json!({
        "owner": "bench", "classification": "public",
        "source": {"path": source, "format": "parquet"}, "schema": columns,
    });
    Ok(serde_json::from_value(spec)?)
}

async fn join(folder: &Path, memory: usize) -> Result<()> {
    let lake = Lake::open(folder.join("lake"))?;
    let labels = Labels::of(&lake, &[table("labels")], "SELECT * FROM labels", "at").await?;
    let views: Vec<View> = VIEWS.iter().map(view).collect();
    let mut writer = None;
    historical_features(&lake, labels, &views, memory, |batch| write(&mut writer, folder, &batch)).await?;
    writer.map(ParquetWriter::finish).transpose()?;
    Ok(())
}

/// One view after the other, as the controllers do it.
fn materialize(runtime: &tokio::runtime::Runtime, folder: &Path) -> Result<()> {
    let (lake, store) = (Lake::open(folder.join("lake"))?, OnlineStore::open(folder.join("online"))?);
    for view in VIEWS.iter().map(view) {
        let definition = view.definition.clone();
        let mut source = runtime.block_on(Source::open(&lake, view))?;
        let pieces = std::iter::from_fn(|| runtime.block_on(source.next()).transpose());
        let rows = pieces.flat_map(|piece| {
            let (rows, error) = match piece {
                Ok(rows) => (rows, None),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            rows.into_iter().map(Ok).chain(error)
        });
        store.try_load(&definition.name, Some(&definition), rows)?;
        store.mark_loaded(&definition.name, "1")?;
    }
    Ok(())
}

#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Offline(#[from] OfflineError),
    #[error(transparent)]
    Parquet(#[from] parquet::errors::ParquetError),
    #[error(transparent)]
    File(#[from] std::io::Error),
}

fn write(writer: &mut Option<ParquetWriter<File>>, folder: &Path, batch: &RecordBatch) -> Result<(), StepError> {
    if writer.is_none() {
        let file = File::create(folder.join("ours.parquet"))?;
        // As the peers' are.
        *writer = Some(ParquetWriter::new(file, batch.schema(), Compression::SNAPPY));
    }
    if let Some(writer) = writer {
        writer.write(batch)?;
    }
    Ok(())
}

fn table(name: &str) -> TableRef {
    TableRef { alias: name.into(), namespace: NAMESPACE.into(), name: name.into(), version: None }
}

fn view(view: &data::View) -> View {
    let names = data::feature_names(view);
    let feature = |name: &String| FeatureDef {
        name: name.clone(),
        column: name.clone(),
        aggregate: Aggregate::Last,
        window: None,
        quantile: None,
    };
    View {
        definition: ViewDefinition {
            name: view.name.into(),
            join_keys: vec![JoinKey { name: view.key.into(), type_: ColumnType::Int64 }],
            timestamp: Some("at".into()),
            created: None,
            ttl: view.ttl_days.map(|days| Span::from_micros(days * DAY)),
            features: names.iter().map(feature).collect(),
        },
        selected: (0..names.len()).collect(),
        tables: vec![table(view.name)],
        sql: format!("SELECT {}, at, {} FROM {}", view.key, names.join(", "), view.name),
        as_known_at: None,
    }
}
