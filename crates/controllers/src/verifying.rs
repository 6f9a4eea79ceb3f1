//! Parity, watched: each view is verified once it was loaded, and from then on by the clock, one view at a time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bedplate_kinds::{FeatureView, FeatureViewStatus, ParityResult, Phase, ViewParity};
use bedplate_parity::How;
use bedplate_types::{ErrorKind, NamespacedName, Problem};
use futures::{StreamExt, pin_mut};
use kube::api::{Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource};
use serde_json::json;

use crate::core::{Facts, Platform, full_name};
use crate::event;
use crate::hold::Hold;
use crate::parity::{self, Look};

/// A view is verified again so long after.
const EVERY: Duration = Duration::from_secs(600);
/// And not before so many times what it took.
const REST: u32 = 50;
/// What failed, or was looked at while its source was being loaded, is tried again then.
const AGAIN: Duration = Duration::from_secs(60);
/// Entities of a sample.
const ENTITIES: usize = 500;

/// When a view is looked at next.
#[derive(Clone, Debug)]
struct Due {
    at: Instant,
    /// What was materialised when that was decided.
    materialized: String,
    /// Whether it was found behind its source before.
    was_stale: bool,
}

/// Runs until `platform.cancel` is cancelled.
pub async fn run(platform: Platform) {
    let api = Api::<FeatureView>::all(platform.client.clone());
    let events = watcher(api, watcher::Config::default().any_semantic()).default_backoff();
    pin_mut!(events);
    let mut due = BTreeMap::<NamespacedName, Due>::new();
    loop {
        let next = due.iter().min_by_key(|(_, due)| due.at).map(|(name, due)| (name.clone(), due.at));
        let wait = next.as_ref().map_or(EVERY, |(_, at)| at.saturating_duration_since(Instant::now()));
        tokio::select! {
            event = events.next() => match event {
                Some(Ok(watcher::Event::InitApply(view) | watcher::Event::Apply(view))) => note(&mut due, &view, Instant::now()),
                Some(Ok(watcher::Event::Delete(view))) => drop(due.remove(&full_name(&view))),
                Some(Ok(watcher::Event::Init | watcher::Event::InitDone)) => {}
                Some(Err(error)) => tracing::debug!(%error, "the feature views could not be watched and will be again"),
                None => return,
            },
            () = tokio::time::sleep(wait) => {
                if let Some((name, _)) = next {
                    tokio::select! {
                        () = turn(&platform, &mut due, &name) => {}
                        () = platform.cancel.cancelled() => return,
                    }
                }
            }
            () = platform.cancel.cancelled() => return,
        }
    }
}

/// What was loaded is looked at at once; what was looked at before, by the clock.
fn note(due: &mut BTreeMap<NamespacedName, Due>, view: &FeatureView, now: Instant) {
    let Some(materialized) = settled(view) else { return };
    let name = full_name(view);
    if due.get(&name).is_none_or(|due| due.materialized != materialized) {
        due.insert(name, Due { at: now, materialized, was_stale: false });
    }
}

/// What is materialised of a view that is ready.
fn settled(view: &FeatureView) -> Option<String> {
    let generation = view.meta().generation.unwrap_or_default();
    let is_so = |status: &&FeatureViewStatus| status.phase == Phase::Ready && status.observed_generation == generation;
    view.status.as_ref().filter(is_so).map(|status| status.materialized.clone()).filter(|marker| !marker.is_empty())
}

async fn turn(platform: &Platform, due: &mut BTreeMap<NamespacedName, Due>, name: &NamespacedName) {
    let Some(this) = due.get(name).cloned() else { return };
    let begun = Instant::now();
    let (again, was_stale) = match verified(platform, name, this.was_stale).await {
        Ok(Found::Told) => (EVERY.max(begun.elapsed() * REST), false),
        Ok(Found::Stale) => (AGAIN, true),
        Ok(Found::Gone) => {
            due.remove(name);
            return;
        }
        Err(problem) => {
            tracing::warn!(view = %name, %problem, "a feature view could not be verified and will be later");
            (AGAIN, this.was_stale)
        }
    };
    if let Some(due) = due.get_mut(name) {
        (due.at, due.was_stale) = (Instant::now() + again, was_stale);
    }
}

enum Found {
    Told,
    /// Its source was ahead of what is loaded: it is being loaded, or should be.
    Stale,
    Gone,
}

async fn verified(platform: &Platform, name: &NamespacedName, was_stale: bool) -> Result<Found, Problem> {
    let unread =
        |error: kube::Error| Problem::new(ErrorKind::Internal, format!("feature view {name}"), error.to_string());
    let view = platform.api::<FeatureView>(&name.namespace).get_opt(&name.name).await.map_err(unread)?;
    // One that is not ready is noted again when it is.
    let Some(view) = view.filter(|view| settled(view).is_some()) else { return Ok(Found::Gone) };
    let (now, before) = (platform.now(), view.status.as_ref().and_then(|status| status.parity.clone()));
    // Another sample each time, so that in the end all are looked at.
    let seed = u32::try_from(now.micros().div_euclid(1_000_000).rem_euclid(1 << 31)).unwrap_or_default();
    let how = How { entities: ENTITIES, seed: seed.into(), at: None, now };
    let look = parity::look(platform, &view, how).await?;
    if look.stale && look.result() == ParityResult::Different && !was_stale {
        return Ok(Found::Stale);
    }
    tell(platform, &view, &look, seed, before.as_ref()).await?;
    Ok(Found::Told)
}

/// Says it in the status, and once where it is another than before: in an event and in the audit log.
async fn tell(
    platform: &Platform,
    view: &FeatureView,
    look: &Look,
    seed: u32,
    before: Option<&ViewParity>,
) -> Result<(), Problem> {
    let (name, now) = (full_name(view), platform.now());
    let parity = look.parity(now, seed);
    let failed =
        |error: kube::Error| Problem::new(ErrorKind::Internal, format!("feature view {name}"), error.to_string());
    let is_news =
        before.is_none_or(|before| before.materialized != parity.materialized || before.result != parity.result);
    if is_news {
        let detail = json!({ "version": parity.version, "result": parity.result, "values": parity.values,
            "different": parity.different, "expected": parity.expected, "seed": seed });
        let facts = Facts::default().did(now, "verify", format!("featureviews/{name}"), detail);
        platform.record(facts).await.map_err(|hold| match hold {
            Hold::Failed(problem) => problem,
            other => Problem::new(ErrorKind::Internal, format!("feature view {name}"), format!("{other:?}")),
        })?;
    }
    let patch = Patch::Merge(json!({ "status": { "parity": parity, "freshness": look.freshness(now) } }));
    match platform.api::<FeatureView>(&name.namespace).patch_status(&name.name, &PatchParams::default(), &patch).await {
        // Deleted meanwhile: nobody is left to read it.
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
        other => drop(other.map_err(failed)?),
    }
    let was_different = before.is_some_and(|before| before.result == ParityResult::Different);
    let is_different = parity.result == ParityResult::Different;
    if is_news && (is_different || was_different) {
        let reason = if is_different { "ParityDifferent" } else { "ParityEqual" };
        let told = if is_different {
            format!("{}. To see them: {}", parity.told(), parity::command(&name, seed))
        } else {
            parity.told()
        };
        platform.tell(event::about(view, is_different, reason.into(), told, now)).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(status: serde_json::Value) -> FeatureView {
        let spec = json!({ "entity": "e", "source": { "datasets": [], "sql": "" }, "features": [] });
        serde_json::from_value(json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "FeatureView", "spec": spec,
            "status": status, "metadata": { "name": "weather", "namespace": "demo", "generation": 2 } }))
        .unwrap()
    }

    #[test]
    fn a_view_is_due_when_it_was_loaded_and_not_again_when_its_status_tells_of_it() {
        let (mut due, now) = (BTreeMap::new(), Instant::now());
        note(&mut due, &view(json!({ "phase": "Pending", "materialized": "a", "observedGeneration": 2 })), now);
        note(&mut due, &view(json!({ "phase": "Ready", "materialized": "a", "observedGeneration": 1 })), now);
        note(&mut due, &view(json!({ "phase": "Ready", "materialized": "", "observedGeneration": 2 })), now);
        assert!(due.is_empty());
        let ready = |marker: &str| view(json!({ "phase": "Ready", "materialized": marker, "observedGeneration": 2 }));
        note(&mut due, &ready("a"), now);
        let name = NamespacedName::new("demo", "weather");
        due.get_mut(&name).unwrap().at = now + EVERY;
        note(&mut due, &ready("a"), now);
        assert_eq!(due[&name].at, now + EVERY);
        note(&mut due, &ready("b"), now);
        assert_eq!(due[&name].at, now);
    }
}
