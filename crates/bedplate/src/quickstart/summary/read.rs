//! The summary's parts, read from the objects, the lineage graph and the ledger.

use std::collections::BTreeMap;

use bedplate_client::{FeaturesVerify, features_verify};
use bedplate_controllers::ReplayResult;
use bedplate_kinds::{Dataset, FeatureView, Model, ModelVersion, TrainingRecipe, Workload};
use bedplate_types::{ErrorKind, Problem};
use kube::api::ListParams;
use kube::{Api, ResourceExt};

use super::walk::walk;
use super::{Cost, DatasetSummary, Parity, Table, Trace};
use crate::platform::Running;

/// Entities of each view that are verified.
const SAMPLE: u32 = 500;

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

pub async fn first<K>(running: &Running, namespace: &str) -> Result<K, Problem>
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

pub async fn datasets(running: &Running, namespace: &str, labelled: &[String]) -> Result<DatasetSummary, Problem> {
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

pub async fn model(
    running: &Running,
    namespace: &str,
    recipe: &TrainingRecipe,
) -> Result<(String, ModelVersion), Problem> {
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

pub async fn replay(running: &Running, namespace: &str) -> Result<ReplayResult, Problem> {
    let workloads = all::<Workload>(running, namespace).await?;
    let replay = workloads.into_iter().find(|workload| workload.spec.task.replay.is_some());
    let outputs = replay.and_then(|workload| workload.status).map(|status| status.outputs).unwrap_or_default();
    let outputs: serde_json::Map<_, _> = outputs.into_iter().collect();
    serde_json::from_value(outputs.into())
        .map_err(|error| Problem::new(ErrorKind::Internal, "the replay's result", error.to_string()))
}

/// As `bedplate features verify` finds it, for the purpose that the model is for.
pub async fn parity(running: &Running, namespace: &str, pushed_rows: u64) -> Result<Parity, Problem> {
    let mut parity = Parity { pushed_rows, ..Parity::default() };
    let purpose = first::<TrainingRecipe>(running, namespace).await?.spec.purpose;
    let wanted = FeaturesVerify { sample: Some(SAMPLE), purpose, ..FeaturesVerify::default() };
    for view in all::<FeatureView>(running, namespace).await? {
        let name = view.name_any();
        let found = features_verify(running.client(), namespace, &name, &wanted).await;
        let found = found.map_err(|error| Problem::of(format!("verifying feature view {namespace}/{name}"), &error))?;
        let count = |name: &str| found[name].as_u64().unwrap_or_default();
        parity.views += 1;
        parity.entities += count("entities");
        parity.values += count("values");
        parity.equal += count("equal");
        parity.expected += count("expected");
        parity.different += count("different");
    }
    Ok(parity)
}

pub async fn trace(running: &Running, prediction: Option<&str>) -> Result<Trace, Problem> {
    let id = prediction.unwrap_or_default().to_owned();
    let graph = crate::surface::api::find_trace(&running.db, &id, false)?;
    let edges: Vec<_> = graph.edges.iter().map(|edge| (edge.to.to_string(), edge.from.to_string())).collect();
    let walk = walk(&edges, &format!("prediction:{id}"));
    Ok(Trace { prediction: id, complete: walk.complete, hops: walk.hops, sources: walk.sources.len() })
}

pub fn cost(running: &Running, namespace: &str) -> Result<Cost, Problem> {
    let query = bedplate_ledger::Query {
        namespace: Some(namespace.to_owned()),
        by: vec![bedplate_ledger::Dimension::Resource],
        ..Default::default()
    };
    let told = running.db.read(|tx| bedplate_ledger::statement(tx, &query));
    let told = told.map_err(|error| Problem::of("the ledger", &error))?;
    let (currency, total) = told.totals.into_iter().next().unwrap_or_default();
    let lines = told.lines.into_iter().filter(|line| line.currency == currency);
    Ok(Cost {
        total: total.to_string(),
        by_resource: lines.map(|line| (line.key.join("/"), line.cost.to_string())).collect(),
        currency,
        unpriced: told.unpriced.into_iter().map(|line| (line.resource, line.events)).collect(),
    })
}
