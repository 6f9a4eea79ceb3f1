//! What a prune deletes: what bears the label, was applied by bedplate, and is no longer among the manifests. Never what
//! others made.

use std::collections::{BTreeMap, BTreeSet};

use bedplate_apiserver::{ApiServer, Step, Wish};
use bedplate_identity::Principal;

use crate::error::PlanError;
use crate::planner::{MANAGER, Wanted};
use crate::world::{Name, name_of, shown};

/// The deletions, namespaces last. A namespace that holds anything else is refused: that would go with it.
pub async fn wanted(
    server: &ApiServer,
    principal: &Principal,
    selector: &str,
    declared: &BTreeMap<Name, String>,
) -> Result<Vec<Wanted>, PlanError> {
    let mut gone = server.applied_by(principal, MANAGER, selector).await?;
    gone.retain(|object| !declared.contains_key(&name_of(object)));
    gone.reverse();
    gone.sort_by_key(|object| object["kind"] == "Namespace");
    let names: BTreeSet<Name> = gone.iter().map(name_of).collect();
    let mut wanted = Vec::with_capacity(gone.len());
    for object in gone {
        let (kind, namespace, name) = name_of(&object);
        let refusals = if kind == "Namespace" { others(server, &name, &names).await? } else { Vec::new() };
        let api_version = object["apiVersion"].as_str().unwrap_or_default().to_owned();
        let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
        let step = Step { api_version, kind, namespace, name, wish: Wish::Delete };
        wanted.push(Wanted { step, source: None, refusals });
    }
    Ok(wanted)
}

/// Why a namespace is not pruned: what it holds that would not be pruned by itself.
async fn others(server: &ApiServer, namespace: &str, pruned: &BTreeSet<Name>) -> Result<Vec<String>, PlanError> {
    let inside: Vec<Name> = server.inside(namespace).await?.iter().map(name_of).collect();
    let other: Vec<String> = inside.iter().filter(|name| !pruned.contains(*name)).map(shown).collect();
    let Some(first) = other.first() else { return Ok(Vec::new()) };
    let and = if other.len() > 1 { format!(" and {} more", other.len() - 1) } else { String::new() };
    Ok(vec![format!("it holds what is not pruned: {first}{and}; delete the namespace by name if that is to go too")])
}
