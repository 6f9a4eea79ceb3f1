//! A token for one run of a workload: it may do what the run is for, and is over when the run is, however that ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bedplate_identity::{NewToken, Principal};
use bedplate_policy::{Grant, Role};
use bedplate_types::{ErrorKind, NamespacedName, Problem, Timestamp};

use crate::core::Platform;
use crate::hold::{Hold, failed};
use crate::registration::write_durably;
use crate::workload::io;

/// How long it outlives a platform that was killed and does not come back.
const LEFT_BEHIND_MICROS: i64 = 120_000_000;
const KEPT_EVERY: Duration = Duration::from_secs(30);

/// Issues it and gives the file it is in, readable by its owner only. The run is the folder's.
pub async fn issue(
    platform: &Arc<Platform>,
    name: &NamespacedName,
    folder: &Path,
    scope: &str,
) -> Result<PathBuf, Hold> {
    let of = |why: String| Hold::Failed(Problem::new(ErrorKind::Internal, "a token for the run", why));
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| of(error.to_string()))?;
    let (now, grant) = (platform.now(), grant(name));
    let principal = Principal { name: grant.principal.clone(), groups: vec![format!("workloads:{}", name.namespace)] };
    let new = NewToken {
        expires_at: Some(until(now)),
        scope: Some(scope.parse().map_err(|error: bedplate_types::InvalidScope| of(error.to_string()))?),
        run: Some(run(name, folder)),
        ..NewToken::new(principal, format!("run of {name}"))
    };
    let issued = platform.db.write_async(move |tx| -> Result<String, Problem> {
        bedplate_policy::grant(tx, &grant).map_err(|e| Problem::of("granting the run its role", &e))?;
        bedplate_identity::issue(tx, &new, now, random).map_err(|e| Problem::of("issuing the run's token", &e))
    });
    let token = issued.await.map_err(Hold::Failed)?;
    platform.policy.reload().map_err(failed("reading the grants"))?;
    std::fs::create_dir_all(folder).map_err(|error| io(folder, &error))?;
    let path = folder.join("token");
    write_durably(&path, token.as_bytes())?;
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .map_err(|error| of(error.to_string()))?;
    Ok(path)
}

/// Keeps the run's token alive until this is dropped.
pub async fn keep(platform: Platform, name: NamespacedName, folder: PathBuf) {
    let run = run(&name, &folder);
    loop {
        tokio::time::sleep(KEPT_EVERY).await;
        let (run, until) = (run.clone(), until(platform.now()));
        let kept = platform.db.write_async(move |tx| bedplate_identity::keep_run(tx, &run, until)).await;
        if let Err(error) = kept {
            tracing::warn!(%name, %error, "the run's token was not kept alive this time");
        }
    }
}

/// Ends the run's token and takes the workload's role back. What cannot be written now is over by itself soon.
pub async fn end(platform: &Platform, name: &NamespacedName, folder: &Path) {
    let file = folder.join("token");
    if !file.exists() {
        return;
    }
    let (run, grant) = (run(name, folder), grant(name));
    let ended = platform.db.write_async(move |tx| -> Result<usize, Problem> {
        bedplate_policy::revoke(tx, &grant).map_err(|e| Problem::of("taking back the run's role", &e))?;
        bedplate_identity::end_run(tx, &run).map_err(|e| Problem::of("ending the run's token", &e))
    });
    if let Err(problem) = ended.await {
        tracing::warn!(%name, %problem, "the run is over and its token is not yet");
    }
    if let Err(error) = std::fs::remove_file(&file) {
        tracing::warn!(%name, %error, "the file of the run's token is still there");
    }
    if let Err(error) = platform.policy.reload() {
        tracing::warn!(%name, %error, "the grants were not read again");
    }
}

/// Ends what runs of a platform that is gone have left: their workers ended with it.
pub async fn end_left_behind(platform: &Platform) {
    match platform.db.write_async(bedplate_identity::end_all_runs).await {
        Ok(0) => {}
        Ok(ended) => tracing::info!(ended, "tokens of runs that a platform left behind were ended"),
        Err(error) => tracing::warn!(%error, "tokens of runs that were left behind may last two minutes more"),
    }
}

fn run(name: &NamespacedName, folder: &Path) -> String {
    let id = folder.file_name().map(|id| id.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{}/{id}", name.namespace)
}

fn grant(name: &NamespacedName) -> Grant {
    Grant::new(format!("workload:{name}"), &name.namespace, Role::Editor)
}

fn until(now: Timestamp) -> Timestamp {
    Timestamp::from_micros(now.micros() + LEFT_BEHIND_MICROS)
}
