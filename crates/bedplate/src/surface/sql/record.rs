//! What a statement leaves behind: a leaf of the audit log for each dataset, before its rows go out, and what reading it
//! cost, when they have.

use std::collections::BTreeMap;

use bedplate_audit::Entry;
use bedplate_db::{Db, Tx};
use bedplate_ledger::UsageEvent;
use bedplate_types::{Problem, Timestamp};
use serde_json::{Value, json};

use super::grant::Granted;
use super::{Allowed, Caller, full_name};
use crate::keys;

const RESOURCE: &str = "scanned_gigabytes";

pub struct Record {
    /// Of the statement.
    id: String,
    at: Timestamp,
    actor: String,
    reads: Vec<Read>,
}

struct Read {
    /// `datasets/flights/weather`.
    object: String,
    detail: Value,
    dataset: String,
    version: i64,
    /// With the first of the versions that are read: bytes are counted by dataset.
    usage: Option<UsageEvent>,
}

impl Record {
    pub fn new(allowed: &Allowed, at: Timestamp) -> Result<Self, Problem> {
        let id = hex::encode(keys::random::<8>()?);
        let mut reads: Vec<Read> = Vec::new();
        for one in &allowed.granted {
            let (dataset, version) = (&one.readable.dataset, one.readable.version);
            let known: Vec<i64> =
                reads.iter().filter(|read| read.dataset == *dataset).map(|read| read.version).collect();
            // A statement may spell one dataset in two ways.
            if !known.contains(&version) {
                let next = read(&id, allowed, one, at);
                reads.push(Read { usage: next.usage.filter(|_| known.is_empty()), ..next });
            }
        }
        Ok(Self { id, at, actor: allowed.caller.principal.name.clone(), reads })
    }

    /// Writes down who reads what, and what was not shown to them. Without it nothing is read.
    pub async fn tell(&self, db: &Db) -> Result<(), Problem> {
        let entry = |read: &Read| Entry {
            at: self.at,
            actor: self.actor.clone(),
            action: "read-data".into(),
            object: read.object.clone(),
            detail: read.detail.clone(),
        };
        let entries: Vec<Entry> = self.reads.iter().map(entry).collect();
        if entries.is_empty() {
            return Ok(());
        }
        db.write_async(move |tx| entries.iter().try_for_each(|entry| append(tx, entry))).await
    }

    /// What is to be told of the bytes that were read.
    pub fn used(self, db: Db) -> impl FnOnce(BTreeMap<String, u64>) + Send + 'static {
        move |bytes| {
            let events: Vec<UsageEvent> = self.reads.into_iter().filter_map(|read| used(read, &bytes)).collect();
            if events.is_empty() {
                return;
            }
            let id = self.id;
            tokio::spawn(async move {
                let written = db.write_async(move |tx| events.iter().try_for_each(|event| post(tx, event))).await;
                if let Err(problem) = written {
                    tracing::error!(%problem, statement = %id, "what a statement cost was not recorded");
                }
            });
        }
    }
}

fn read(id: &str, allowed: &Allowed, granted: &Granted, at: Timestamp) -> Read {
    let Allowed { caller, statement, parsed, engine, .. } = allowed;
    let readable = &granted.readable;
    let name = full_name(caller, &readable.dataset);
    let masked: Vec<&str> =
        readable.columns.iter().filter(|column| column.mask.is_some()).map(|column| column.name.as_str()).collect();
    let detail = json!({ "statement": id, "sql": parsed.shape, "via": statement.via, "version": readable.version,
        "engine": engine.to_string(), "purpose": caller.purpose, "masked": masked, "rowFilters": granted.filters });
    let usage = UsageEvent {
        id: format!("sql:{id}:{name}"),
        at,
        namespace: caller.namespace.clone(),
        team: granted.owner.clone(),
        subject: format!("dataset:{name}"),
        resource: RESOURCE.into(),
        amount_micro: 0,
    };
    Read {
        object: format!("datasets/{name}"),
        detail,
        dataset: readable.dataset.clone(),
        version: readable.version,
        usage: Some(usage),
    }
}

fn used(read: Read, bytes: &BTreeMap<String, u64>) -> Option<UsageEvent> {
    let bytes = bytes.get(&read.dataset).copied().filter(|bytes| *bytes > 0)?;
    // Millionths of a gigabyte of 10^9 bytes, rounded up.
    let amount_micro = i64::try_from(bytes.div_ceil(1_000)).unwrap_or(i64::MAX);
    Some(UsageEvent { amount_micro, ..read.usage? })
}

/// Writes down that somebody reads datasets in another way than by a statement. Without it nothing is read.
pub async fn tell_reads(
    db: &Db,
    caller: &Caller,
    datasets: &[(String, Option<i64>)],
    detail: &Value,
    at: Timestamp,
) -> Result<(), Problem> {
    let entry = |(dataset, version): &(String, Option<i64>)| {
        let mut detail = detail.clone();
        detail["version"] = json!(version);
        detail["purpose"] = json!(caller.purpose);
        let object = format!("datasets/{}", full_name(caller, dataset));
        Entry { at, actor: caller.principal.name.clone(), action: "read-data".into(), object, detail }
    };
    let entries: Vec<Entry> = datasets.iter().map(entry).collect();
    db.write_async(move |tx| entries.iter().try_for_each(|entry| append(tx, entry))).await
}

fn append(tx: &mut dyn Tx, entry: &Entry) -> Result<(), Problem> {
    bedplate_audit::append(tx, entry).map(drop).map_err(|error| Problem::of("recording what is read", &error))
}

fn post(tx: &mut dyn Tx, event: &UsageEvent) -> Result<(), Problem> {
    bedplate_ledger::record(tx, event).map(drop).map_err(|error| Problem::of("recording what was read", &error))
}
