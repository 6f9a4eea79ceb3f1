//! Registration: a trained, gated model becomes a signed version of its Model.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bedplate_kinds::{Model, ModelStatus, ModelVersion, TrainingRecipe, TrainingRecipeStatus};
use bedplate_ledger::UsageEvent;
use bedplate_lineage::Node;
use bedplate_tracking::{Registration, next_version};
use bedplate_types::{Digest, ErrorKind, NamespacedName, Problem};
use kube::api::PostParams;
use serde_json::json;

use crate::core::{ACTOR, Facts, Platform, gigabytes};
use crate::hold::{Hold, failed};
use crate::snapshot::Snapshot;
use crate::workload::{run_folder, run_node};
use crate::{digest, lineage};

/// The model's file within a version's folder.
pub const MODEL_FILE: &str = "model.onnx";
/// What the model takes, within a version's folder.
pub const SIGNATURE_FILE: &str = "signature.json";
/// The OpenSSF model-signing bundle, within a version's folder.
pub const BUNDLE_FILE: &str = "model.sig";

/// The model a finished run left behind.
pub fn trained_model(platform: &Platform, namespace: &str, run_id: &str) -> PathBuf {
    run_folder(platform, namespace, run_id).join(MODEL_FILE)
}

/// Signs the model and gives it the next version, or finds the version it already has. Returns the version.
pub async fn register(
    platform: &Arc<Platform>,
    recipe: &TrainingRecipe,
    name: &NamespacedName,
    status: &TrainingRecipeStatus,
    run_id: &str,
) -> Result<u32, Hold> {
    let snapshot = Snapshot::load(platform, &status.training_set)?;
    let mut model = platform.need::<Model>(&name.namespace, &recipe.spec.model).await?;
    let bytes = std::fs::read(trained_model(platform, &name.namespace, run_id))
        .map_err(|error| io("the trained model", &error))?;
    let digest = digest::of_bytes(&bytes);
    let mut known = model.status.clone().unwrap_or_default();
    let version = match next_version(&known, &digest) {
        Registration::AlreadyRegistered(version) => return Ok(version),
        Registration::New(version) => version,
    };
    let model_name = NamespacedName::new(&name.namespace, &recipe.spec.model);
    let folder = folder(platform, &model_name, version, &digest);
    let shape = serde_json::to_vec_pretty(&snapshot.signature).map_err(|error| internal(&error.to_string()))?;
    let files = BTreeMap::from([(MODEL_FILE, bytes), (SIGNATURE_FILE, shape)]);
    write_signed(platform, &recipe.spec.model, &folder, &files)?;
    let bytes = files.values().map(|file| file.len() as u64).sum();
    let entry = ModelVersion {
        version,
        digest: digest.to_string(),
        location: folder.display().to_string(),
        recipe: name.name.clone(),
        run_id: run_id.to_owned(),
        training_set: status.training_set.clone(),
        view_versions: snapshot.signature.view_versions.clone(),
        metrics: status.metrics.clone(),
        gates: status.gates.clone(),
        signed: true,
        tags: snapshot.signature.tags.clone(),
        created_at: platform.now(),
    };
    let mut facts = facts(platform, name, &recipe.spec.model, &entry);
    lineage::of_model(&mut facts, &model_name, &entry, &snapshot.signature, platform.now());
    platform.record(facts.used(stored(platform, &model_name, &recipe.spec.owner, &entry, bytes))).await?;
    append(&mut known, entry);
    model.status = Some(known);
    // A replace carries the resource version: two registrations at once cannot both win.
    platform.api::<Model>(&name.namespace).replace_status(&recipe.spec.model, &PostParams::default(), &model).await?;
    Ok(version)
}

fn stored(platform: &Platform, model: &NamespacedName, team: &str, entry: &ModelVersion, bytes: u64) -> UsageEvent {
    UsageEvent {
        id: format!("stored:model:{model}@{}:{}:{}", entry.version, entry.digest, entry.training_set),
        at: platform.now(),
        namespace: model.namespace.clone(),
        team: team.to_owned(),
        subject: format!("model:{model}"),
        resource: "stored_gigabytes".into(),
        amount_micro: gigabytes(bytes),
    }
}

fn append(status: &mut ModelStatus, version: ModelVersion) {
    status.latest = Some(version.version);
    status.versions.push(version);
}

/// Where a version's folder is: in this platform's home, though it was registered in another that this is a copy of.
pub fn located(platform: &Platform, model: &NamespacedName, version: &ModelVersion) -> Result<PathBuf, Hold> {
    let digest = version.digest.parse().map_err(|error: bedplate_types::InvalidDigest| internal(&error.to_string()))?;
    let here = folder(platform, model, version.version, &digest);
    Ok(if here.exists() { here } else { PathBuf::from(&version.location) })
}

fn folder(platform: &Platform, model: &NamespacedName, version: u32, digest: &Digest) -> PathBuf {
    let version = format!("{version}-{}", digest.short());
    platform.sites.models.join(&model.namespace).join(&model.name).join(version)
}

fn write_signed(platform: &Platform, model: &str, folder: &Path, files: &BTreeMap<&str, Vec<u8>>) -> Result<(), Hold> {
    let digests = files.iter().map(|(name, bytes)| ((*name).to_owned(), digest::of_bytes(bytes))).collect();
    let bundle = bedplate_trust::sign(model, &digests, &platform.signing_key).map_err(failed("signing the model"))?;
    std::fs::create_dir_all(folder).map_err(|error| io("the model's folder", &error))?;
    for (name, bytes) in files {
        write_durably(&folder.join(name), bytes)?;
    }
    write_durably(&folder.join(BUNDLE_FILE), &bundle)
}

/// Whole or not at all, and on the disk when it returns.
pub fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), Hold> {
    let of = |error: std::io::Error| io(&path.display().to_string(), &error);
    let temporary = path.with_extension("part");
    let mut file = std::fs::File::create(&temporary).map_err(of)?;
    file.write_all(bytes).map_err(of)?;
    file.sync_all().map_err(of)?;
    std::fs::rename(&temporary, path).map_err(of)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(of)
}

fn facts(platform: &Platform, recipe: &NamespacedName, model: &str, entry: &ModelVersion) -> Facts {
    let now = platform.now();
    let run = run_node(&recipe.namespace, &entry.run_id);
    let version = version_node(&NamespacedName::new(&recipe.namespace, model), entry.version);
    let snapshot = entry.training_set.parse().map(Node::Snapshot);
    let object = format!("models/{}/{model}", recipe.namespace);
    let detail = json!({ "version": entry.version, "digest": entry.digest, "run": entry.run_id });
    let facts = Facts::default()
        .did(now, "register", object.clone(), detail.clone())
        .did(now, "sign", object, json!({ "version": entry.version, "digest": entry.digest }))
        .knows(&run, json!({ "recipe": recipe.name }))
        .knows(&version, json!({ "digest": entry.digest, "metrics": entry.metrics }))
        .follows(&run, &version, &entry.run_id, now)
        .leads("model", &NamespacedName::new(&recipe.namespace, model), &version);
    match snapshot {
        Ok(snapshot) => facts.follows(&snapshot, &run, ACTOR, now),
        Err(_) => facts,
    }
}

/// The lineage node of a model version.
pub fn version_node(model: &NamespacedName, version: u32) -> Node {
    Node::model(&model.namespace, &model.name, version)
}

fn io(what: &str, error: &std::io::Error) -> Hold {
    Hold::Failed(Problem::new(ErrorKind::Internal, what, error.to_string()))
}

fn internal(why: &str) -> Hold {
    Hold::Failed(Problem::new(ErrorKind::Internal, "registering the model", why))
}
