//! The job of a replay: what to ask, what becomes known meanwhile, and a token that may do just that.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bedplate_identity::{NewToken, Principal};
use bedplate_kinds::{Endpoint, FeatureView, Model, Phase, Replay, TrainingRecipe};
use bedplate_query::Frame;
use bedplate_types::{ErrorKind, NamespacedName, Problem, Span, Timestamp};
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::json;

use crate::core::{Platform, full_name};
use crate::hold::{Hold, failed};
use crate::jobs::{PushFrame, ReplayJob};
use crate::registration::{MODEL_FILE, located, write_durably};
use crate::snapshot::Snapshot;
use crate::workload::{Prepared, io};
use crate::{feature_view, training_set};

const TOKEN_LIFE: Span = Span::from_micros(2 * 3_600_000_000);

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
    let training_set = recipe.status.unwrap_or_default().training_set;
    let snapshot = Snapshot::load(platform, &training_set)?;
    let pushes = pushes(platform, name, &snapshot, task).await?;
    let job = ReplayJob {
        inference_url: platform.sites.inference_url.clone(),
        control_url: platform.sites.control_url.clone(),
        token_file: token(platform, name, folder).await?,
        namespace: name.namespace.clone(),
        endpoint: task.endpoint.clone(),
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

/// A token for this run alone; it expires by itself.
async fn token(platform: &Platform, name: &NamespacedName, folder: &Path) -> Result<PathBuf, Hold> {
    let of = |why: String| Hold::Failed(Problem::new(ErrorKind::Internal, "a token for the replay", why));
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| of(error.to_string()))?;
    let now = platform.now();
    let principal =
        Principal { name: format!("workload:{name}"), groups: vec![format!("workloads:{}", name.namespace)] };
    let grant = bedplate_policy::Grant {
        principal: principal.name.clone(),
        namespace: name.namespace.clone(),
        role: bedplate_policy::Role::Editor,
    };
    let new = NewToken {
        principal,
        expires_at: Some(Timestamp::from_micros(now.micros() + TOKEN_LIFE.micros())),
        description: format!("replay {name}"),
    };
    let token = platform
        .db
        .write_async(move |tx| -> Result<String, Problem> {
            bedplate_policy::grant(tx, &grant).map_err(|e| Problem::of("granting the replay its role", &e))?;
            bedplate_identity::issue(tx, &new, now, random).map_err(|e| Problem::of("issuing the replay's token", &e))
        })
        .await
        .map_err(Hold::Failed)?;
    platform.policy.reload().map_err(failed("reading the grants"))?;
    std::fs::create_dir_all(folder).map_err(|error| io(folder, &error))?;
    let path = folder.join("token");
    write_durably(&path, token.as_bytes())?;
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .map_err(|error| of(error.to_string()))?;
    Ok(path)
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
