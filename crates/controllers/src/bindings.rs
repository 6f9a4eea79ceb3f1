//! RoleBindings of a cluster: nobody else makes them count there. (The embedded API server does so in the transaction that
//! stores one, and needs none of this.)
//!
//! Every change of any binding brings all grants to what the bindings say together, so that one that went while nobody
//! looked is taken back at the next start. While the cluster is not to be reached, everybody keeps the rights they had.

use std::collections::BTreeMap;

use bedplate_audit::Entry;
use bedplate_kinds::{BoundRole, RoleBinding};
use bedplate_policy::{Grant, Role};
use bedplate_types::{Explained, Problem};
use futures::{StreamExt, pin_mut};
use kube::runtime::{WatchStreamExt, reflector, watcher};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::core::{ACTOR, Platform};

/// A binding's namespace and name, and what it grants.
type Bound = BTreeMap<(String, String), Vec<Grant>>;

/// Runs until `platform.cancel` is cancelled.
pub async fn follow_bindings(platform: Platform) {
    let (seen, writer) = reflector::store::<RoleBinding>();
    let api = Api::<RoleBinding>::all(platform.client.clone());
    let events = reflector(writer, watcher(api, watcher::Config::default().any_semantic())).default_backoff();
    pin_mut!(events);
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            () = platform.cancel.cancelled() => return,
        };
        match event {
            Some(Ok(watcher::Event::InitDone | watcher::Event::Apply(_) | watcher::Event::Delete(_))) => {
                if let Err(problem) = take_effect(&platform, wanted(&seen.state())).await {
                    tracing::error!(%problem, "the RoleBindings do not count as they stand");
                }
            }
            Some(Ok(watcher::Event::Init | watcher::Event::InitApply(_))) => {}
            Some(Err(error)) => tracing::warn!(%error, "the RoleBindings could not be watched and will be again"),
            None => return,
        }
    }
}

fn wanted(bindings: &[std::sync::Arc<RoleBinding>]) -> Bound {
    let one = |binding: &RoleBinding| {
        let namespace = binding.namespace().unwrap_or_default();
        let role = match binding.spec.role {
            BoundRole::Viewer => Role::Viewer,
            BoundRole::Editor => Role::Editor,
            BoundRole::Owner => Role::Owner,
        };
        let subjects = binding.spec.subjects.iter();
        let grants = subjects.map(|subject| Grant::new(subject.principal(&namespace), &namespace, role)).collect();
        ((namespace, binding.name_any()), grants)
    };
    bindings.iter().map(|binding| one(binding)).collect()
}

/// The bindings whose grants are others than they should be; one without grants is gone.
fn differences(wanted: &Bound, stored: &Bound) -> Bound {
    let sorted = |grants: Option<&Vec<Grant>>| {
        let mut grants = grants.cloned().unwrap_or_default();
        grants.sort_by(|a, b| a.principal.cmp(&b.principal));
        grants
    };
    let names = wanted.keys().chain(stored.keys());
    let changed = names.filter(|name| {
        let (new, old) = (sorted(wanted.get(*name)), sorted(stored.get(*name)));
        new != old
    });
    changed.map(|name| (name.clone(), wanted.get(name).cloned().unwrap_or_default())).collect()
}

async fn take_effect(platform: &Platform, wanted: Bound) -> Result<(), Problem> {
    let now = platform.now();
    let changed = platform.db.write_async(move |tx| {
        let of = |error: &dyn Explained| Problem::of("the grants of a RoleBinding", error);
        let mut stored = Bound::new();
        for (binding, grant) in bedplate_policy::bound(tx).map_err(|error| of(&error))? {
            stored.entry((grant.namespace.clone(), binding)).or_default().push(grant);
        }
        let changed = differences(&wanted, &stored);
        for ((namespace, name), grants) in &changed {
            bedplate_policy::bind(tx, namespace, name, grants).map_err(|error| of(&error))?;
            let entry = Entry {
                at: now,
                actor: ACTOR.into(),
                action: "bind".into(),
                object: format!("rolebindings/{namespace}/{name}"),
                detail: json!({ "grants": grants }),
            };
            bedplate_audit::append(tx, &entry).map_err(|error| of(&error))?;
        }
        Ok::<_, Problem>(!changed.is_empty())
    });
    if changed.await? {
        platform.policy.refresh().map_err(|error| Problem::of("reading the grants", &error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(names: &[(&str, &[&str])]) -> Bound {
        let grants = |people: &[&str]| people.iter().map(|who| Grant::new(*who, "ns", Role::Viewer)).collect();
        names.iter().map(|(name, people)| (("ns".to_owned(), (*name).to_owned()), grants(people))).collect()
    }

    #[test]
    fn only_what_differs_is_written_and_what_is_gone_grants_nothing() {
        let stored = bound(&[("same", &["user:a", "user:b"]), ("gone", &["user:c"]), ("changed", &["user:d"])]);
        let wanted = bound(&[("same", &["user:b", "user:a"]), ("changed", &["user:e"]), ("new", &["user:f"])]);
        let expected = bound(&[("gone", &[]), ("changed", &["user:e"]), ("new", &["user:f"])]);
        assert_eq!(differences(&wanted, &stored), expected);
        assert_eq!(differences(&wanted, &wanted), Bound::new());
    }
}
