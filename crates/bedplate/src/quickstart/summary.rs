//! What came of it: read from the objects, the log and the ledger, told to a person or a program.

use std::collections::BTreeMap;
use std::time::Instant;

use bedplate_client::Manifest;
use bedplate_controllers::ReplayResult;
use bedplate_kinds::{
    Dataset, DriftResult, GateResult, LabelShift, Model, ModelVersion, Monitor, TrainingRecipe, Workload,
};
use bedplate_types::{ErrorKind, Problem};
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde::Serialize;

use crate::cli::Report;
use crate::platform::Running;

#[derive(Serialize)]
pub struct Summary {
    dataset: DatasetSummary,
    training_set: TrainingSetSummary,
    model: ModelSummary,
    gates: Vec<GateResult>,
    serving: Serving,
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

async fn all<K>(running: &Running, namespace: &str) -> Result<Vec<K>, Problem>
where
    K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + serde::de::DeserializeOwned
        + std::fmt::Debug,
{
    let api: Api<K> = Api::namespaced(running.client().clone(), namespace);
    let listed = api.list(&ListParams::default()).await;
    let what = format!("the {} of {namespace}", K::plural(&()));
    Ok(listed.map_err(|error| Problem::new(ErrorKind::Internal, what, error.to_string()))?.items)
}

async fn first<K>(running: &Running, namespace: &str) -> Result<K, Problem>
where
    K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + serde::de::DeserializeOwned
        + std::fmt::Debug,
{
    all(running, namespace).await?.into_iter().next().ok_or_else(|| {
        let why = format!("namespace {namespace} declares no {}", K::kind(&()));
        Problem::new(ErrorKind::Invalid, "the use case", why).with_fix("compare your folder with examples/flights")
    })
}

async fn datasets(running: &Running, namespace: &str, labelled: &[String]) -> Result<DatasetSummary, Problem> {
    let name = labelled.first().cloned().unwrap_or_default();
    let mut summary = DatasetSummary { name, rows: 0, quarantined: 0, tables: BTreeMap::new(), findings: Vec::new() };
    for dataset in all::<Dataset>(running, namespace).await? {
        let status = dataset.status.clone().unwrap_or_default();
        let table = dataset.name_any();
        if table == summary.name {
            summary.rows = status.rows_read;
        }
        summary.quarantined += status.quarantined;
        let missed = status.expectations.iter().filter(|outcome| outcome.failing > 0);
        summary.findings.extend(missed.map(|one| format!("{table}: {} {} ({})", one.failing, one.name, one.detail)));
        summary.tables.insert(table, Table { rows: status.rows_read, quarantined: status.quarantined });
    }
    Ok(summary)
}

async fn model(running: &Running, namespace: &str, recipe: &TrainingRecipe) -> Result<(String, ModelVersion), Problem> {
    let name = recipe.spec.model.clone();
    let known = all::<Model>(running, namespace).await?.into_iter().find(|model| model.name_any() == name);
    let versions = known.and_then(|model| model.status).map(|status| status.versions).unwrap_or_default();
    let wanted = recipe.status.as_ref().and_then(|status| status.model_version);
    let version = versions.into_iter().find(|version| Some(version.version) == wanted);
    let version = version.ok_or_else(|| {
        Problem::new(ErrorKind::Internal, format!("model {name}"), "the version the recipe registered is not there")
    })?;
    Ok((name, version))
}

async fn replay(running: &Running, namespace: &str) -> Result<ReplayResult, Problem> {
    let workloads = all::<Workload>(running, namespace).await?;
    let replay = workloads.into_iter().find(|workload| workload.spec.task.replay.is_some());
    let outputs = replay.and_then(|workload| workload.status).map(|status| status.outputs).unwrap_or_default();
    let outputs: serde_json::Map<_, _> = outputs.into_iter().collect();
    serde_json::from_value(outputs.into())
        .map_err(|error| Problem::new(ErrorKind::Internal, "the replay's result", error.to_string()))
}

async fn trace(running: &Running, prediction: Option<&str>) -> Result<Trace, Problem> {
    let id = prediction.unwrap_or_default().to_owned();
    let graph = crate::surface::api::find_trace(&running.db, &id, false)?;
    let edges: Vec<_> = graph.edges.iter().map(|edge| (edge.to.to_string(), edge.from.to_string())).collect();
    let walk = walk(&edges, &format!("prediction:{id}"));
    Ok(Trace { prediction: id, complete: walk.complete, hops: walk.hops, sources: walk.sources.len() })
}

#[derive(Default)]
struct Walk {
    complete: bool,
    hops: usize,
    sources: std::collections::BTreeSet<String>,
}

/// Follows every path of an acyclic graph back from `start`; complete when each ends in a source file.
fn walk(edges: &[(String, String)], start: &str) -> Walk {
    let mut depths: BTreeMap<&str, usize> = BTreeMap::from([(start, 0)]);
    let mut open = vec![start];
    let mut walk = Walk { complete: true, ..Walk::default() };
    while let Some(node) = open.pop() {
        let depth = depths[node];
        let causes: Vec<_> = edges.iter().filter(|edge| edge.0 == node).map(|edge| edge.1.as_str()).collect();
        if causes.is_empty() {
            walk.hops = walk.hops.max(depth);
            walk.complete &= node.starts_with("source:");
            walk.sources.insert(node.to_owned());
        }
        for cause in causes {
            if depths.get(cause).is_none_or(|known| *known < depth + 1) {
                depths.insert(cause, depth + 1);
                open.push(cause);
            }
        }
    }
    walk
}

fn cost(running: &Running, namespace: &str) -> Result<Cost, Problem> {
    let of = |error: &dyn bedplate_types::Explained| Problem::of("the ledger", error);
    let total = running.db.read(|tx| bedplate_ledger::total(tx, Some(namespace))).map_err(|error| of(&error))?;
    let lines = running.db.read(|tx| bedplate_ledger::by(tx, bedplate_ledger::Column::Resource));
    let lines = lines.map_err(|error| of(&error))?;
    Ok(Cost {
        total: total.to_string(),
        currency: running.prices.currency.clone(),
        by_resource: lines.into_iter().map(|(resource, cost)| (resource, cost.to_string())).collect(),
    })
}

/// The most memory this process has held; each workload's own is in its status.
fn peak_rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default();
    kib / 1024.0
}

impl Summary {
    pub fn print(&self, report: Report) {
        match report {
            Report::Json => println!("{}", serde_json::to_string_pretty(self).unwrap_or_default()),
            Report::Text => self.tell(),
        }
    }

    fn tell(&self) {
        let tables: Vec<_> = self.dataset.tables.iter().map(|(name, table)| format!("{name} {}", table.rows)).collect();
        println!(
            "data       {} rows: {}",
            self.dataset.tables.values().map(|t| t.rows).sum::<u64>(),
            tables.join(", ")
        );
        println!("quality    {} rows in quarantine", self.dataset.quarantined);
        for finding in &self.dataset.findings {
            println!("           {finding}");
        }
        println!(
            "training   {} rows, {} label rows dropped",
            self.training_set.rows, self.training_set.label_rows_dropped
        );
        for gate in &self.gates {
            println!("gate       {} {}: {}", gate.name, if gate.passed { "passed" } else { "failed" }, gate.detail);
        }
        let signed = if self.model.signed { "signed" } else { "not signed" };
        println!("model      {} version {}, {signed}, {}", self.model.name, self.model.version, self.model.digest);
        println!(
            "serving    {} predictions, {:.2} % equal to offline, p50 {:.2} ms, p99 {:.2} ms",
            self.serving.predictions,
            self.serving.parity_share * 100.0,
            self.serving.p50_ms,
            self.serving.p99_ms
        );
        let drifted: Vec<_> = self.drift.iter().filter(|one| one.drifted).map(|one| one.feature.as_str()).collect();
        println!("drift      {} of {} features: {}", drifted.len(), self.drift.len(), drifted.join(", "));
        println!("trace      {} hops back to {} source files", self.trace.hops, self.trace.sources);
        println!("audit      {} leaves verified", self.audit.leaves);
        println!("cost       {} {}", self.cost.total, self.cost.currency);
        println!("           {:.1} s, peak {:.0} MB", self.seconds, self.peak_rss_mb);
        self.what_next();
    }

    fn what_next(&self) {
        if self.already_done {
            println!("\nEverything had been done by an earlier run: nothing was changed.");
        }
        println!("\nNext: bedplate up, then in another terminal");
        println!("  bedplate get models -n {}", self.namespace);
        println!("  bedplate trace {}", self.trace.prediction);
        println!(
            "  bedplate predict late-arrival -n {} -s tailnum=N14228 -s carrier=UA -s origin=EWR -s dest=IAH -s scheduled_time=2013-07-08T12:00:00Z",
            self.namespace
        );
        println!("  bedplate audit verify");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(to, from)| ((*to).to_owned(), (*from).to_owned())).collect()
    }

    #[test]
    fn complete_means_every_path_ends_in_a_source() {
        let whole = edges(&[("p", "m"), ("m", "t"), ("t", "source:a"), ("m", "v"), ("v", "t")]);
        let found = walk(&whole, "p");
        assert_eq!((found.complete, found.hops, found.sources.len()), (true, 4, 1));
        let broken = edges(&[("p", "m"), ("m", "t")]);
        assert!(!walk(&broken, "p").complete);
    }
}
