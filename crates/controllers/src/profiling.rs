//! Profiles of datasets, gathered behind the ingests: one table at a time, from the committed version, so that no ingest
//! waits for it. Killed anywhere, it begins again with what has no profile yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bedplate_catalogue::pii::Sampler;
use bedplate_kinds::{Column, Dataset, DatasetStatus, Phase, PiiSuggestion};
use bedplate_lake::profile::{Profiler, TableProfile};
use bedplate_query::TableRef;
use bedplate_types::{ErrorKind, NamespacedName, Problem};
use futures::{StreamExt, pin_mut};
use kube::Api;
use kube::api::{Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::json;

use crate::core::{Platform, full_name};
use crate::dataset::content;
use crate::hold::{Hold, failed};
use crate::profiles::{self, DatasetProfile};

/// What failed is tried again then.
const AGAIN: Duration = Duration::from_secs(60);

/// A version of a table that is to be profiled.
#[derive(Clone, Debug, PartialEq)]
struct Due {
    version: i64,
    content: String,
    columns: Vec<Column>,
    /// What its status suggests.
    told: Vec<PiiSuggestion>,
}

/// Runs until `platform.cancel` is cancelled.
pub async fn run(platform: Platform) {
    let platform = Arc::new(platform);
    let api = Api::<Dataset>::all(platform.client.clone());
    let events = watcher(api, watcher::Config::default().any_semantic()).default_backoff();
    pin_mut!(events);
    let (mut due, mut listed) = (BTreeMap::new(), BTreeSet::new());
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            () = tokio::time::sleep(AGAIN), if !due.is_empty() => {
                work(&platform, &mut due).await;
                continue;
            }
            () = platform.cancel.cancelled() => return,
        };
        match event {
            Some(Ok(watcher::Event::Init)) => listed.clear(),
            Some(Ok(watcher::Event::InitApply(dataset))) => {
                listed.insert(full_name(&dataset));
                note(&mut due, &dataset);
            }
            Some(Ok(watcher::Event::Apply(dataset))) => {
                listed.insert(full_name(&dataset));
                note(&mut due, &dataset);
                work(&platform, &mut due).await;
            }
            Some(Ok(watcher::Event::Delete(dataset))) => {
                let name = full_name(&dataset);
                listed.remove(&name);
                due.remove(&name);
                forget(&platform, vec![name]).await;
            }
            Some(Ok(watcher::Event::InitDone)) => {
                let left = platform.db.read(profiles::profiled).unwrap_or_default();
                forget(&platform, left.difference(&listed).cloned().collect()).await;
                work(&platform, &mut due).await;
            }
            Some(Err(error)) => tracing::debug!(%error, "the datasets could not be watched and will be again"),
            None => return,
        }
    }
}

fn note(due: &mut BTreeMap<NamespacedName, Due>, dataset: &Dataset) {
    // A table that is behind its declaration may not have all columns yet.
    let generation = dataset.metadata.generation.unwrap_or_default();
    let is_so = |status: &&DatasetStatus| status.phase == Phase::Ready && status.observed_generation == generation;
    let status = dataset.status.as_ref().filter(is_so);
    if let Some((status, version)) = status.and_then(|status| Some((status, status.version?))) {
        let columns = dataset.spec.schema.clone();
        let told = status.pii_suggestions.clone();
        due.insert(full_name(dataset), Due { version, content: content(status), columns, told });
    }
}

/// What fails stays.
async fn work(platform: &Arc<Platform>, due: &mut BTreeMap<NamespacedName, Due>) {
    for (name, one) in due.clone() {
        match keep(platform, &name, one).await {
            Ok(()) => drop(due.remove(&name)),
            Err(_) if platform.cancel.is_cancelled() => return,
            Err(hold) => tracing::warn!(dataset = %name, ?hold, "a table could not be profiled and will be later"),
        }
    }
}

async fn keep(platform: &Arc<Platform>, name: &NamespacedName, due: Due) -> Result<(), Hold> {
    let Due { version, content, columns, told } = due;
    let of = || format!("the profile of dataset {name}");
    let known = platform.db.read(|tx| profiles::suggested(tx, name, version, &content)).map_err(failed(of()))?;
    let suggestions = match known {
        Some(known) => known,
        None => {
            let (profile, suggestions) = gather(platform, name, version, columns).await?;
            let (at, dataset, suggested) = (platform.now(), name.clone(), suggestions.clone());
            let kept = DatasetProfile { version, content, at, profile, suggestions };
            let written = platform.db.write_async(move |tx| profiles::keep(tx, &dataset, &kept));
            written.await.map_err(failed(of()))?;
            suggested
        }
    };
    if suggestions == told { Ok(()) } else { tell(platform, name, &suggestions).await }
}

/// Says it in the status. A reconcile that was under way may write over it; then it is said again.
async fn tell(platform: &Platform, name: &NamespacedName, suggestions: &[PiiSuggestion]) -> Result<(), Hold> {
    let patch = Patch::Merge(json!({ "status": { "piiSuggestions": suggestions } }));
    let api = platform.api::<Dataset>(&name.namespace);
    match api.patch_status(&name.name, &PatchParams::default(), &patch).await {
        // Deleted meanwhile: nobody is left to read it.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        other => Ok(other.map(drop)?),
    }
}

async fn gather(
    platform: &Arc<Platform>,
    name: &NamespacedName,
    version: i64,
    columns: Vec<Column>,
) -> Result<(TableProfile, Vec<PiiSuggestion>), Hold> {
    let (platform_, name) = (platform.clone(), name.clone());
    let runtime = tokio::runtime::Handle::current();
    platform.heavy(move || runtime.block_on(read(&platform_, &name, version, &columns))).await
}

async fn read(
    platform: &Platform,
    name: &NamespacedName,
    version: i64,
    columns: &[Column],
) -> Result<(TableProfile, Vec<PiiSuggestion>), Hold> {
    let of = || format!("the profile of dataset {name}");
    let (namespace, dataset) = (name.namespace.clone(), name.name.clone());
    let table = TableRef { alias: "t".into(), namespace, name: dataset, version: Some(version) };
    let mut rows = platform.lake.rows(&[table], &select(columns)).await.map_err(failed(of()))?;
    let (mut profiler, mut sampler) = (Profiler::new(columns), Sampler::new(columns));
    while let Some(batch) = rows.next().await.map_err(failed(of()))? {
        if platform.cancel.is_cancelled() {
            return Err(Hold::waiting("the platform stops"));
        }
        let strange =
            |error: arrow::error::ArrowError| Hold::Failed(Problem::new(ErrorKind::Corrupt, of(), error.to_string()));
        profiler.observe(&batch).map_err(strange)?;
        sampler.observe(&batch);
    }
    Ok((profiler.finish(), sampler.finish()))
}

/// What else the table still has from before is not the dataset's.
fn select(columns: &[Column]) -> String {
    let quoted = columns.iter().map(|column| format!("\"{}\"", column.name.replace('"', "\"\"")));
    ["SELECT ", &quoted.collect::<Vec<_>>().join(", "), " FROM t"].concat()
}

/// Those of datasets that are gone.
async fn forget(platform: &Platform, names: Vec<NamespacedName>) {
    if names.is_empty() {
        return;
    }
    let written = platform.db.write_async(move |tx| names.iter().try_for_each(|name| profiles::forget(tx, name))).await;
    if let Err(error) = written {
        tracing::warn!(%error, "the profiles of deleted datasets were not removed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(status: serde_json::Value) -> Dataset {
        let spec =
            json!({ "owner": "ops", "source": { "path": "x" }, "schema": [{ "name": "a\"b", "type": "string" }] });
        let object = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "Dataset", "spec": spec, "status": status,
            "metadata": { "name": "weather", "namespace": "demo" } });
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn only_what_is_there_is_due() {
        let mut due = BTreeMap::new();
        note(&mut due, &dataset(json!({ "phase": "Failed", "version": 1 })));
        note(&mut due, &dataset(json!({ "phase": "Ready" })));
        note(&mut due, &dataset(json!({ "phase": "Ready", "version": 1, "observedGeneration": 1 })));
        assert!(due.is_empty());
        note(&mut due, &dataset(json!({ "phase": "Ready", "version": 1, "inputDigest": "d", "released": 2 })));
        let one = due.values().next().unwrap();
        assert_eq!((one.version, one.content.as_str()), (1, "d+2@1"));
        assert_eq!(select(&one.columns), r#"SELECT "a""b" FROM t"#);
    }
}
