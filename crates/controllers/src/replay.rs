//! The job of a replay: what to ask and what becomes known meanwhile, with a token that may do just that.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bedplate_kinds::{Endpoint, FeatureView, Model, Phase, Replay, TrainingRecipe};
use bedplate_query::Frame;
use bedplate_types::{NamespacedName, Timestamp};
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::json;

use crate::core::{Platform, full_name};
use crate::hold::{Hold, failed};
use crate::jobs::{PushFrame, ReplayJob};
use crate::registration::{MODEL_FILE, located};
use crate::snapshot::Snapshot;
use crate::workload::Prepared;
use crate::{feature_view, job_token, training_set};

pub async fn prepare(
    platform: &Arc<Platform>,
    name: &NamespacedName,
    task: &Replay,
    folder: &Path,
) -> Result<Prepared, Hold> {
    let endpoint = platform.need::<Endpoint>(&name.namespace, &task.endpoint).await?;
    let status = endpoint.status.filter(|status| status.phase == Phase::Ready);
    let status = status.ok_or_else(|| Hold::waiting(format!("endpoint {} is not ready", task.endpoint)))?;
    let recipe = platform.need::<TrainingRecipe>(&name.namespace, &task.recipe).await?;
    let purpose = recipe.spec.purpose.clone();
    let training_set = recipe.status.unwrap_or_default().training_set;
    let snapshot = Snapshot::load(platform, &training_set)?;
    let pushes = pushes(platform, name, &snapshot, task).await?;
    let job = ReplayJob {
        inference_url: platform.sites.inference_url.clone(),
        control_url: platform.sites.control_url.clone(),
        listeners: platform.sites.listeners.clone(),
        token_file: job_token::issue(platform, name, folder, &scope(&name.namespace)).await?,
        namespace: name.namespace.clone(),
        endpoint: task.endpoint.clone(),
        purpose,
        training_set: snapshot.path(platform),
        features: snapshot.signature.features,
        model: served_model(platform, &name.namespace, &endpoint.spec.model, status.version).await?,
        request_columns: snapshot.signature.request_columns,
        timestamp: snapshot.signature.timestamp_column,
        from: task.from,
        limit: task.limit,
        pushes,
    };
    Ok(Prepared { command: "replay", job: json!(job) })
}

/// It asks endpoints and pushes features, and may do nothing else.
fn scope(namespace: &str) -> String {
    format!("get,predict:endpoints:{namespace} list,push:featureviews:{namespace}")
}

async fn served_model(
    platform: &Platform,
    namespace: &str,
    model: &str,
    version: Option<u32>,
) -> Result<PathBuf, Hold> {
    let name = NamespacedName::new(namespace, model);
    let model = platform.need::<Model>(namespace, model).await?;
    let versions = model.status.unwrap_or_default().versions;
    let version = versions.into_iter().find(|known| Some(known.version) == version);
    let version = version.ok_or_else(|| Hold::waiting("the endpoint's model version is not registered"))?;
    Ok(located(platform, &name, &version)?.join(MODEL_FILE))
}

/// The rows of every pushable view the model uses that became known after it was materialised.
async fn pushes(
    platform: &Arc<Platform>,
    name: &NamespacedName,
    snapshot: &Snapshot,
    task: &Replay,
) -> Result<Vec<PushFrame>, Hold> {
    let views = platform.api::<FeatureView>(&name.namespace).list(&ListParams::default()).await?;
    let mut pushes = Vec::new();
    for view in views {
        let used = snapshot.signature.view_versions.contains_key(&view.name_any());
        if let (true, Some(source), Some(timestamp)) = (used, &view.spec.push_source, &view.spec.timestamp_column) {
            let rows = known_later(platform, &view, timestamp, task.from).await?;
            pushes.push(PushFrame { source: source.clone(), rows, timestamp: timestamp.clone() });
        }
    }
    Ok(pushes)
}

async fn known_later(
    platform: &Arc<Platform>,
    view: &FeatureView,
    timestamp: &str,
    from: Timestamp,
) -> Result<PathBuf, Hold> {
    let name = full_name(view);
    let tables = feature_view::tables(platform, &name.namespace, &view.spec.source.datasets).await?;
    let frame = feature_view::query(platform, tables.refs, &view.spec.source.sql, &name).await?;
    // What was materialised is there already; rows before it would be pushed for nothing.
    let after = view.spec.materialize_until.map_or(from, |until| Timestamp::from_micros(until.micros() + 1));
    let window = bedplate_kinds::Window { from: Some(after), to: None };
    let (here, timestamp) = (platform.clone(), timestamp.to_owned());
    platform
        .heavy(move || {
            let rows = frame.batches.iter().map(|batch| training_set::within(batch, &timestamp, &window));
            let later = Frame::new(frame.schema.clone(), rows.collect::<Result<Vec<_>, _>>()?);
            let pinned = bedplate_query::snapshot::write_frame(&here.objects, &later)
                .map_err(failed("pinning the rows to push"))?;
            Ok(here.objects.path(&pinned))
        })
        .await
}
