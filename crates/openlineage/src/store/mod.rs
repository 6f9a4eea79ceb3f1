//! Writing an event down, with all that follows from it, in the caller's transaction.
//!
//! Every statement here is a join: run again, or in another order, it leaves the same rows.

mod columns;
mod datasets;
pub(crate) mod facets;
mod jobs;
mod runs;

use bedplate_audit::Entry;
use bedplate_db::{DbError, Tx};
use bedplate_types::{Digest, Timestamp};
use serde_json::json;

pub(crate) use datasets::uuid_of;
pub(crate) use runs::state;

use crate::error::Failure;
use crate::event::{Event, Told};
use crate::run_state::Stamp;
use crate::scope::scope;

/// An event that may be kept.
pub(crate) struct Record {
    pub event: Event,
    /// Of `body`.
    pub digest: Digest,
    pub body: String,
    pub actor: String,
    pub received: Timestamp,
}

/// Keeps the event; false when it was kept before, and then nothing changes.
pub(crate) fn record(tx: &mut dyn Tx, record: &Record) -> Result<bool, Failure> {
    if !keep(tx, record)? {
        return Ok(false);
    }
    let stamp = Stamp { at: record.event.at.micros(), event: record.digest.hex() };
    for namespace in record.event.namespaces() {
        name(tx, namespace, &stamp)?;
    }
    derive(tx, &record.event, &stamp)?;
    bedplate_audit::append(tx, &entry(record))?;
    Ok(true)
}

fn keep(tx: &mut dyn Tx, record: &Record) -> Result<bool, DbError> {
    let Record { event, digest, body, received, .. } = record;
    let bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
    let added = tx.execute(
        "INSERT INTO openlineage_events (digest, at, received_at, kind, bytes, body) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (digest) DO NOTHING",
        &[
            digest.hex().into(),
            event.at.micros().into(),
            received.micros().into(),
            event.kind().into(),
            bytes.into(),
            body.into(),
        ],
    )?;
    Ok(added == 1)
}

fn name(tx: &mut dyn Tx, namespace: &str, stamp: &Stamp) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO openlineage_event_scopes (event, scope) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        &[(&stamp.event).into(), scope(namespace).into()],
    )?;
    tx.execute(
        "INSERT INTO openlineage_namespaces AS known (name, scope, created_at, updated_at) VALUES ($1, $2, $3, $3)
         ON CONFLICT (name) DO UPDATE SET
             created_at = CASE WHEN excluded.created_at < known.created_at THEN excluded.created_at ELSE known.created_at END,
             updated_at = CASE WHEN excluded.updated_at > known.updated_at THEN excluded.updated_at ELSE known.updated_at END",
        &[namespace.into(), scope(namespace).into(), stamp.at.into()],
    )?;
    Ok(())
}

fn derive(tx: &mut dyn Tx, event: &Event, stamp: &Stamp) -> Result<(), Failure> {
    match &event.told {
        Told::Run { run, job, uses } => {
            jobs::put(tx, job, uses, stamp)?;
            runs::put(tx, run, job, stamp)?;
            for used in uses {
                let version = datasets::put(tx, &used.dataset, datasets::maker(used, run, job), stamp)?;
                runs::put_use(tx, run, job, used, version, stamp)?;
            }
        }
        Told::Job { job, uses } => {
            jobs::put(tx, job, uses, stamp)?;
            for used in uses {
                datasets::put(tx, &used.dataset, None, stamp)?;
            }
        }
        Told::Dataset(dataset) => drop(datasets::put(tx, dataset, None, stamp)?),
    }
    Ok(())
}

fn entry(record: &Record) -> Entry {
    let event = &record.event;
    let object = match (&event.told, event.job()) {
        (Told::Dataset(dataset), _) => format!("lineage dataset {} {}", dataset.namespace, dataset.name),
        (_, Some(job)) => format!("lineage job {} {}", job.namespace, job.name),
        (_, None) => "lineage".to_owned(),
    };
    let detail = json!({
        "event": record.digest, "kind": event.kind(), "eventTime": event.at, "run": event.run().map(|run| &run.id),
    });
    Entry { at: record.received, actor: record.actor.clone(), action: "lineage.ingest".into(), object, detail }
}
