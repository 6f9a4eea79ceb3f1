//! Reviews of a dataset's quarantine, told by the table's own log: audit, lineage and status follow what was committed there.

use std::sync::Arc;

use bedplate_audit::Entry;
use bedplate_kinds::{Column, Dataset, DatasetStatus};
use bedplate_lineage::{How, Node};
use bedplate_query::{Change, Review};
use bedplate_types::{NamespacedName, Timestamp};
use serde_json::json;

use crate::core::{Facts, Platform};
use crate::dataset::{table_node, tell_table};
use crate::hold::{Hold, failed};
use crate::upkeep;

/// Catches up with the reviews and the upkeep since the status was written, and completes a review that was cut off.
pub async fn settle(
    platform: &Arc<Platform>,
    dataset: &Dataset,
    name: &NamespacedName,
    status: &mut DatasetStatus,
) -> Result<(), Hold> {
    let Some(version) = status.version else { return Ok(()) };
    let of = || format!("the reviews of dataset {name}");
    let _turn = platform.turn().await?;
    let changes = platform.lake.changes_since(&name.namespace, &name.name, Some(version)).map_err(failed(of()))?;
    let told = changes.iter().map(|change| told(dataset, name, change, platform.now())).collect::<Option<Vec<_>>>();
    // With a load among them, they are told of with it.
    let Some(told) = told.filter(|told| !told.is_empty()) else { return Ok(()) };
    platform.lake.finish_review(&name.namespace, &name.name).await.map_err(failed(of()))?;
    let committed = platform.lake.committed(&name.namespace, &name.name).await.map_err(failed(of()))?;
    let Some(committed) = committed else { return Ok(()) };
    for facts in told {
        platform.record(facts).await?;
    }
    tell_table(status, &committed.report);
    Ok(())
}

fn told(dataset: &Dataset, name: &NamespacedName, change: &Change, now: Timestamp) -> Option<Facts> {
    match change {
        Change::Review { version, review } => Some(facts(dataset, name, *version, review, now)),
        Change::Upkeep { version, upkeep } => Some(upkeep::facts(dataset, name, *version, upkeep, now)),
        Change::Ingest(_) => None,
    }
}

pub fn facts(dataset: &Dataset, name: &NamespacedName, version: i64, review: &Review, now: Timestamp) -> Facts {
    let mut facts = Facts::default();
    facts.audit.push(entry(name, version, review, now));
    let (before, after) = (table_node(name, Some(version - 1)), table_node(name, Some(version)));
    let what = json!({ "owner": dataset.spec.owner, review.action.as_str(): review.rows, "by": review.by,
        "why": review.why });
    let mut facts = facts.knows(&after, what).follows(&before, &after, &review.by, now);
    for Column { name: column, .. } in &dataset.spec.schema {
        let from = Node::column(&before, column);
        facts.made_of(&Node::column(&after, column), from, How::Identity, &review.by, now);
    }
    facts
}

/// Who decided, not who carried it out.
fn entry(name: &NamespacedName, version: i64, review: &Review, now: Timestamp) -> Entry {
    let detail = json!({ "rows": review.rows, "why": review.why, "version": version, "choice": review.choice,
        "ordered": review.at, "quarantineVersion": review.quarantine });
    let action = review.action.as_str().to_owned();
    Entry { at: now, actor: review.by.clone(), action, object: format!("datasets/{name}"), detail }
}
