//! Waits until every declared object is settled.

use std::time::{Duration, Instant};

use bedplate_client::Manifest;
use bedplate_kinds::Phase;
use bedplate_types::{ErrorKind, Problem, Span};
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use kube::{Client, ResourceExt};

use super::progress::Progress;

/// Where one object stands.
struct Standing {
    object: String,
    phase: Phase,
    /// Of its Ready condition; when it failed, the kind of the error.
    reason: String,
    message: String,
}

/// Ends when all are ready or succeeded, with the first that failed, or when the time is up.
pub async fn until_settled(
    client: &Client,
    manifests: &[Manifest],
    timeout: Span,
    progress: &Progress,
) -> Result<(), Problem> {
    let deadline = Instant::now() + Duration::from_micros(timeout.micros().unsigned_abs());
    loop {
        let standings = standings(client, manifests).await?;
        for standing in &standings {
            progress.tell(&standing.object, standing.phase, &standing.message);
        }
        if let Some(failed) = standings.iter().find(|standing| standing.phase == Phase::Failed) {
            progress.end();
            return Err(step_failed(failed));
        }
        if standings.iter().all(|standing| standing.phase.is_settled()) {
            return Ok(());
        }
        if Instant::now() > deadline {
            progress.end();
            return Err(out_of_time(&standings, timeout));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub async fn all_settled(client: &Client, manifests: &[Manifest]) -> Result<bool, Problem> {
    Ok(standings(client, manifests).await?.iter().all(|standing| standing.phase.is_settled()))
}

async fn standings(client: &Client, manifests: &[Manifest]) -> Result<Vec<Standing>, Problem> {
    let mut standings = Vec::new();
    for manifest in manifests.iter().filter(|manifest| manifest.api_version().starts_with(bedplate_kinds::GROUP)) {
        standings.push(standing(client, manifest).await?);
    }
    Ok(standings)
}

/// What an earlier run found wrong may have been mended since: it is looked at once more before it counts.
pub async fn judge_again(client: &Client, manifests: &[Manifest]) -> Result<(), Problem> {
    let patch = Patch::Merge(serde_json::json!({ "status": { "phase": Phase::Pending } }));
    for manifest in manifests.iter().filter(|manifest| manifest.api_version().starts_with(bedplate_kinds::GROUP)) {
        if standing(client, manifest).await?.phase == Phase::Failed {
            let patched = api(client, manifest).patch_status(manifest.name(), &PatchParams::default(), &patch).await;
            patched.map_err(|error| Problem::new(ErrorKind::Internal, manifest.name(), error.to_string()))?;
        }
    }
    Ok(())
}

fn api(client: &Client, manifest: &Manifest) -> Api<DynamicObject> {
    let gvk = GroupVersionKind::gvk(bedplate_kinds::GROUP, bedplate_kinds::VERSION, manifest.kind());
    let namespace = manifest.object.namespace().unwrap_or_else(|| "default".into());
    Api::namespaced_with(client.clone(), &namespace, &ApiResource::from_gvk(&gvk))
}

async fn standing(client: &Client, manifest: &Manifest) -> Result<Standing, Problem> {
    let name = format!("{}/{}", manifest.kind(), manifest.name());
    let object = api(client, manifest).get(manifest.name()).await;
    let object = object.map_err(|error| Problem::new(ErrorKind::Internal, name.clone(), error.to_string()))?;
    let status = &object.data["status"];
    let current = status["observedGeneration"].as_i64() == object.metadata.generation;
    let phase = serde_json::from_value(status["phase"].clone()).unwrap_or_default();
    let condition = status["conditions"].as_array().and_then(|all| all.iter().find(|one| one["type"] == "Ready"));
    let said = |field: &str| condition.and_then(|one| one[field].as_str()).unwrap_or_default().to_owned();
    let phase = if current { phase } else { Phase::Pending };
    Ok(Standing { object: name, phase, reason: said("reason"), message: said("message") })
}

fn step_failed(failed: &Standing) -> Problem {
    let (why, fix) = failed.message.split_once(". To fix it: ").unwrap_or((&failed.message, ""));
    let kind = ErrorKind::named(&failed.reason).unwrap_or(ErrorKind::Refused);
    let problem = Problem::new(kind, failed.object.clone(), why);
    if fix.is_empty() { problem } else { problem.with_fix(fix) }
}

fn out_of_time(standings: &[Standing], timeout: Span) -> Problem {
    let open = standings.iter().filter(|standing| !standing.phase.is_settled());
    let open: Vec<_> = open.map(|standing| format!("{} ({})", standing.object, standing.message)).collect();
    Problem::new(ErrorKind::Timeout, format!("not settled within {timeout}"), open.join("; "))
        .with_fix("run it again to go on where it stopped, or give it longer: --timeout 30m")
}
