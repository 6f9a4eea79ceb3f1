//! Endpoint: verifies a model version, loads it and serves it.

use std::path::Path;
use std::sync::Arc;

use bedplate_kinds::{Endpoint, EndpointStatus, Model, ModelVersion, Phase};
use bedplate_lineage::Node;
use bedplate_serving::{Deployment, Signature, ViewBinding};
use bedplate_types::{Digest, ErrorKind, NamespacedName, Problem};
use serde_json::json;

use crate::core::{Facts, Platform, full_name};
use crate::hold::{Hold, failed};
use crate::registration::{BUNDLE_FILE, MODEL_FILE, SIGNATURE_FILE, located, version_node};
use crate::run::Reconcile;
use crate::workload::io;
use crate::{digest, feature_service, feature_view};

impl Reconcile for Endpoint {
    async fn bring(platform: &Arc<Platform>, object: &Arc<Self>, status: &mut EndpointStatus) -> Result<Phase, Hold> {
        bring(platform, object, status).await
    }
}

async fn bring(platform: &Arc<Platform>, endpoint: &Endpoint, status: &mut EndpointStatus) -> Result<Phase, Hold> {
    let name = full_name(endpoint);
    let model = platform.need::<Model>(&name.namespace, &endpoint.spec.model).await?;
    let known = model.status.clone().unwrap_or_default();
    if known.versions.is_empty() {
        return Err(Hold::waiting(format!("model {} has no version yet", endpoint.spec.model)));
    }
    let version = bedplate_tracking::resolve(&known, endpoint.spec.version)
        .map_err(failed(format!("endpoint {name}: model {}", endpoint.spec.model)))?;
    let serving = platform.deployments.serving(&name).map(|digest| digest.to_string());
    if serving.as_deref() == Some(&version.digest) && status.phase == Phase::Ready && status.digest == version.digest {
        return Ok(Phase::Ready);
    }
    deploy(platform, &name, (&endpoint.spec.model, &model.spec.owner), version).await?;
    if status.digest != version.digest || status.phase != Phase::Ready {
        platform.record(facts(platform, &name, &endpoint.spec.model, version)).await?;
    }
    status.version = Some(version.version);
    status.digest.clone_from(&version.digest);
    status.url = format!("{}/v2/models/{}.{}/infer", platform.sites.inference_url, name.namespace, name.name);
    Ok(Phase::Ready)
}

async fn deploy(
    platform: &Arc<Platform>,
    name: &NamespacedName,
    (model, team): (&str, &str),
    version: &ModelVersion,
) -> Result<(), Hold> {
    let folder = &located(platform, &NamespacedName::new(&name.namespace, model), version)?;
    let bytes = verified(platform, folder, &version.digest, name)?;
    let engine = bedplate_infer::Model::load(&bytes).map_err(failed(format!("endpoint {name}: loading the model")))?;
    let shape = std::fs::read(folder.join(SIGNATURE_FILE)).map_err(|error| io(folder, &error))?;
    let signature: Signature = serde_json::from_slice(&shape)
        .map_err(|error| corrupt(name, &format!("{SIGNATURE_FILE} is not readable: {error}")))?;
    let views = bind(platform, name, &signature).await?;
    let digest: Digest = version.digest.parse().map_err(failed_digest(name))?;
    platform.deployments.install(Deployment {
        endpoint: name.clone(),
        model: model.to_owned(),
        version: version.version,
        digest,
        signature,
        views,
        engine,
        team: team.to_owned(),
    });
    Ok(())
}

fn failed_digest(name: &NamespacedName) -> impl FnOnce(bedplate_types::InvalidDigest) -> Hold {
    let name = name.clone();
    move |error| corrupt(&name, &error.to_string())
}

/// The model's bytes, once folder, signature and digest all agree.
fn verified(platform: &Platform, folder: &Path, digest: &str, name: &NamespacedName) -> Result<Vec<u8>, Hold> {
    let mut files = std::collections::BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(|error| io(folder, &error))? {
        let path = entry.map_err(|error| io(folder, &error))?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if file != BUNDLE_FILE {
            let found = digest::of_file(&path).map_err(|error| io(&path, &error))?;
            files.insert(file, found);
        }
    }
    let bundle = std::fs::read(folder.join(BUNDLE_FILE)).map_err(|error| io(folder, &error))?;
    let signature = || format!("endpoint {name}: the model's signature");
    let public = platform.signing_key.public_pem().map_err(failed(signature()))?;
    bedplate_trust::verify(&bundle, &files, &public).map_err(failed(signature()))?;
    let bytes = std::fs::read(folder.join(MODEL_FILE)).map_err(|error| io(folder, &error))?;
    if digest::of_bytes(&bytes).to_string() != digest {
        return Err(corrupt(name, "the model's bytes are not those that were registered"));
    }
    Ok(bytes)
}

async fn bind(platform: &Platform, name: &NamespacedName, signature: &Signature) -> Result<Vec<ViewBinding>, Hold> {
    let mut views = Vec::new();
    for selection in &signature.views {
        let view = feature_service::ready(platform, &name.namespace, &selection.view).await?;
        let definition = feature_view::definition(platform, &view, &full_name(&view)).await?;
        let version = definition.version(&view.spec.source.sql);
        if signature.view_versions.get(&selection.view) != Some(&version.to_string()) {
            return Err(changed(name, &selection.view));
        }
        let id = feature_view::online_id(&full_name(&view), &version);
        views.push(ViewBinding { id, definition, selected: feature_service::selected(&view, selection)? });
    }
    Ok(views)
}

fn changed(name: &NamespacedName, view: &str) -> Hold {
    let why = format!("feature view {view} is not the version the model was trained on");
    let fix = "restore the view's definition, or let the recipe train a new version";
    Hold::Failed(Problem::new(ErrorKind::Refused, format!("endpoint {name}"), why).with_fix(fix))
}

fn corrupt(name: &NamespacedName, why: &str) -> Hold {
    Hold::Failed(Problem::new(ErrorKind::Corrupt, format!("endpoint {name}"), why))
}

/// The lineage node of an endpoint.
pub fn endpoint_node(name: &NamespacedName) -> Node {
    Node::endpoint(&name.namespace, &name.name)
}

fn facts(platform: &Platform, name: &NamespacedName, model: &str, version: &ModelVersion) -> Facts {
    let now = platform.now();
    let model = version_node(&NamespacedName::new(&name.namespace, model), version.version);
    let endpoint = endpoint_node(name);
    let detail = json!({ "version": version.version, "digest": version.digest });
    Facts::default()
        .did(now, "deploy", format!("endpoints/{name}"), detail.clone())
        .knows(&endpoint, detail)
        .follows(&model, &endpoint, crate::core::ACTOR, now)
        .leads("endpoint", name, &model)
}
