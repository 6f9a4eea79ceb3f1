//! What came of it: read from the objects, the log and the ledger, told to a person or a program.

mod read;
mod tell;
mod walk;

use std::collections::BTreeMap;
use std::time::Instant;

use bedplate_client::Manifest;
use bedplate_kinds::{DriftResult, GateResult, LabelShift, Monitor, TrainingRecipe};
use bedplate_types::Problem;
use kube::ResourceExt;
use serde::Serialize;

use self::read::{cost, datasets, first, model, parity, replay, trace};
use crate::platform::Running;

#[derive(Serialize)]
pub struct Summary {
    dataset: DatasetSummary,
    training_set: TrainingSetSummary,
    model: ModelSummary,
    gates: Vec<GateResult>,
    serving: Serving,
    parity: Parity,
    drift: Vec<DriftResult>,
    label_shift: Vec<LabelShift>,
    trace: Trace,
    audit: Audit,
    cost: Cost,
    seconds: f64,
    peak_rss_mb: f64,
    console_url: String,
    /// Nothing was left to do: an earlier run had done it all.
    already_done: bool,
    #[serde(skip)]
    namespace: String,
}

#[derive(Serialize)]
struct DatasetSummary {
    /// The labelled table.
    name: String,
    /// Rows read from its source.
    rows: u64,
    /// Rows in quarantine, over all tables.
    quarantined: u64,
    tables: BTreeMap<String, Table>,
    /// Expectations that were not met, and by how much.
    findings: Vec<String>,
}

#[derive(Serialize)]
struct Table {
    rows: u64,
    quarantined: u64,
}

#[derive(Serialize)]
struct TrainingSetSummary {
    rows: u64,
    label_rows_dropped: u64,
    digest: String,
}

#[derive(Serialize)]
struct ModelSummary {
    name: String,
    version: u32,
    digest: String,
    auc: Option<f64>,
    signed: bool,
    location: String,
}

#[derive(Serialize)]
struct Serving {
    predictions: u64,
    requests: u64,
    parity_share: f64,
    largest_difference: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// Prediction records lost because the queue was full.
    records_dropped: u64,
}

/// What the online store says of every view, held against the views' sources after the replay has pushed to it.
#[derive(Default, Serialize)]
struct Parity {
    views: u64,
    entities: u64,
    values: u64,
    equal: u64,
    /// Values that differ by rows that were pushed, or are still to be.
    expected: u64,
    different: u64,
    /// Rows the replay pushed before.
    pushed_rows: u64,
}

#[derive(Serialize)]
struct Trace {
    prediction: String,
    /// Every path back ends in a source file.
    complete: bool,
    /// Edges on the longest path from the prediction to a source file.
    hops: usize,
    sources: usize,
}

#[derive(Serialize)]
struct Audit {
    leaves: u64,
    verified: bool,
    root: String,
}

#[derive(Serialize)]
struct Cost {
    total: String,
    currency: String,
    by_resource: BTreeMap<String, String>,
    /// Usage that no price sheet has a price for: how many events of each resource.
    unpriced: BTreeMap<String, i64>,
}

pub async fn gather(
    running: &Running,
    manifests: &[Manifest],
    started: Instant,
    already_done: bool,
) -> Result<Summary, Problem> {
    let namespace =
        manifests.iter().find_map(|manifest| manifest.object.namespace()).unwrap_or_else(|| "default".into());
    let recipe = first::<TrainingRecipe>(running, &namespace).await?;
    let recipe_status = recipe.status.clone().unwrap_or_default();
    let (model, version) = model(running, &namespace, &recipe).await?;
    let replay = replay(running, &namespace).await?;
    let monitor = first::<Monitor>(running, &namespace).await?.status.unwrap_or_default();
    let parity = parity(running, &namespace, replay.pushed_rows).await?;
    let verified = running.verify_audit().await?;
    Ok(Summary {
        dataset: datasets(running, &namespace, &recipe.spec.label.datasets).await?,
        training_set: TrainingSetSummary {
            rows: recipe_status.training_set_rows,
            label_rows_dropped: recipe_status.label_rows_dropped,
            digest: recipe_status.training_set.clone(),
        },
        model: ModelSummary {
            name: model,
            version: version.version,
            digest: version.digest.clone(),
            auc: version.metrics.get("auc").copied(),
            signed: version.signed,
            location: version.location.clone(),
        },
        gates: recipe_status.gates,
        trace: trace(running, replay.last_prediction.as_deref()).await?,
        serving: Serving {
            predictions: replay.predictions,
            requests: replay.requests,
            parity_share: replay.parity_share,
            largest_difference: replay.largest_difference,
            p50_ms: replay.p50_ms,
            p99_ms: replay.p99_ms,
            records_dropped: running.deployments.dropped_records(),
        },
        parity,
        drift: monitor.drift,
        label_shift: monitor.label_shift,
        audit: Audit { leaves: verified.leaves, verified: true, root: verified.root.to_string() },
        cost: cost(running, &namespace)?,
        seconds: started.elapsed().as_secs_f64(),
        peak_rss_mb: peak_rss_mb(),
        console_url: running.console_url()?,
        already_done,
        namespace,
    })
}

/// The most memory this process has held; each workload's own is in its status.
fn peak_rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default();
    kib / 1024.0
}
