//! A dataset's table is kept up: small files are joined; what was done to it is told by its own log.

use std::sync::Arc;

use bedplate_audit::Entry;
use bedplate_kinds::{Column, Dataset, DatasetStatus};
use bedplate_ledger::UsageEvent;
use bedplate_lineage::{How, Node};
use bedplate_query::{By, Upkeep, UpkeepAction};
use bedplate_types::{NamespacedName, Timestamp};
use serde_json::json;

use crate::core::{ACTOR, Facts, Platform, gigabytes};
use crate::dataset::table_node;
use crate::hold::{Hold, failed};
use crate::review;

/// Data files that a table, or a partition of it, may have before they are joined.
const MANY_FILES: u64 = 32;

/// Joins the table's small files when there are many. A table that cannot be joined is still one that can be read.
pub async fn tidy(
    platform: &Arc<Platform>,
    dataset: &Dataset,
    name: &NamespacedName,
    status: &mut DatasetStatus,
) -> Result<(), Hold> {
    if status.data_files <= MANY_FILES || !has_many(platform, dataset, name).await? {
        return Ok(());
    }
    let (here, place, runtime) = (platform.clone(), name.clone(), tokio::runtime::Handle::current());
    let by = By { name: ACTOR.to_owned(), at: platform.now() };
    let done = platform
        .heavy(move || {
            let done = runtime.block_on(here.lake.optimize(&place.namespace, &place.name, by));
            done.map_err(failed(format!("joining the files of dataset {place}")))
        })
        .await;
    match done {
        Ok(_) => review::settle(platform, dataset, name, status).await,
        Err(Hold::Failed(problem)) => {
            tracing::warn!(dataset = %name, %problem, "the small files of a table were not joined");
            Ok(())
        }
        Err(other) => Err(other),
    }
}

/// Whether there are many in one partition, where there are many in all.
async fn has_many(platform: &Platform, dataset: &Dataset, name: &NamespacedName) -> Result<bool, Hold> {
    if dataset.spec.partition_by.is_empty() {
        return Ok(true);
    }
    let most = platform.lake.most_files(&name.namespace, &name.name).await;
    let most = most.map_err(failed(format!("looking at the files of dataset {name}")))?;
    Ok(most as u64 > MANY_FILES)
}

/// What was done to the table to make this version of it.
pub fn facts(dataset: &Dataset, name: &NamespacedName, version: i64, upkeep: &Upkeep, now: Timestamp) -> Facts {
    let before = match upkeep.action {
        UpkeepAction::Optimize => version - 1,
        UpkeepAction::Restore { to } => to,
    };
    let action = upkeep.action.as_str();
    let detail = json!({ "version": version, "of": before, "filesRemoved": upkeep.removed, "filesAdded": upkeep.added,
        "bytes": upkeep.written, "ordered": upkeep.at });
    let mut facts = Facts::default();
    facts.audit.push(Entry {
        at: now,
        actor: upkeep.by.clone(),
        action: action.to_owned(),
        object: format!("datasets/{name}"),
        detail,
    });
    let (from, to) = (table_node(name, Some(before)), table_node(name, Some(version)));
    let what = json!({ "owner": dataset.spec.owner, action: before, "by": upkeep.by });
    let mut facts = facts.knows(&to, what).follows(&from, &to, &upkeep.by, now);
    for Column { name: column, .. } in &dataset.spec.schema {
        facts.made_of(&Node::column(&to, column), Node::column(&from, column), How::Identity, &upkeep.by, now);
    }
    if upkeep.written == 0 {
        return facts;
    }
    facts.used(UsageEvent {
        id: format!("stored:{name}@{version}:{action}"),
        at: now,
        namespace: name.namespace.clone(),
        team: dataset.spec.owner.clone(),
        subject: format!("dataset:{name}"),
        resource: "stored_gigabytes".into(),
        amount_micro: gigabytes(upkeep.written),
    })
}
