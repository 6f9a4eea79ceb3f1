//! Rows: objects, changes, owners. [`commit`] is the only function that changes any of them.

use bedplate_audit::Entry;
use bedplate_db::{DbError, Tx, Value as Sql};
use bedplate_types::{Digest, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::error::ApiError;
use crate::governance::{self, Gate};
use crate::key::Key;
use crate::{binding, columns, lease, meta, price_sheet, rule};

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Added,
    Modified,
    Deleted,
}

impl Event {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }

    fn read(text: &str) -> Self {
        match text {
            "ADDED" => Self::Added,
            "DELETED" => Self::Deleted,
            _ => Self::Modified,
        }
    }
}

/// On whose account something is written, for the audit log.
#[derive(Clone, Debug)]
pub struct By {
    pub actor: String,
    pub action: &'static str,
    pub subresource: Option<&'static str>,
    pub at: Timestamp,
    /// The deletion that caused this one.
    pub because: Option<String>,
    /// How many changes are kept for watchers.
    pub kept: i64,
    /// Who is asked before anything is written; `None` for the server's own account.
    pub gate: Option<Gate>,
}

/// One change, as watchers read it.
#[derive(Clone)]
pub struct Change {
    pub version: i64,
    pub event: Event,
    /// The object as it was; `None` for one that is new.
    pub before: Option<Value>,
    pub object: Value,
}

/// What is remembered: everything after `floor` up to `head`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    pub floor: i64,
    /// The version of the newest change.
    pub head: i64,
}

pub fn get(tx: &mut dyn Tx, key: &Key) -> Result<Option<Value>, ApiError> {
    text(tx, key)?.map(|body| parse(&body, key)).transpose()
}

/// One object as it is stored, unread.
pub fn text(tx: &mut dyn Tx, key: &Key) -> Result<Option<String>, ApiError> {
    let sql = "SELECT body FROM api_objects WHERE resource = $1 AND namespace = $2 AND name = $3";
    let rows = tx.query(sql, &key_args(key))?;
    Ok(rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()?)
}

/// How far back, and how far, the changes go.
pub fn memory(tx: &mut dyn Tx) -> Result<Memory, ApiError> {
    let rows = tx.query("SELECT floor, version FROM api_head WHERE id = 1", &[])?;
    let row = rows.first().ok_or_else(|| corrupt("api_head", "the row is missing"))?;
    Ok(Memory { floor: row.int(0)?, head: row.int(1)? })
}

/// At most `limit` objects after (namespace, name), in that order.
pub fn page(
    tx: &mut dyn Tx,
    resource: &str,
    namespace: Option<&str>,
    after: (&str, &str),
    limit: i64,
) -> Result<Vec<Value>, ApiError> {
    let rows = page_of_texts(tx, resource, namespace, after, limit)?;
    rows.iter().map(|row| parse(row.text(0)?, &resource)).collect()
}

/// As [`page`], as they are stored: the text of each is in the first column.
pub fn page_of_texts(
    tx: &mut dyn Tx,
    resource: &str,
    namespace: Option<&str>,
    after: (&str, &str),
    limit: i64,
) -> Result<Vec<bedplate_db::Row>, ApiError> {
    let rows = match namespace {
        // Compared by name alone, so that the index leads straight to the place.
        Some(namespace) => tx.query(
            "SELECT body, namespace, name FROM api_objects
             WHERE resource = $1 AND namespace = $2 AND name > $3 ORDER BY name LIMIT $4",
            &[resource.into(), namespace.into(), after.1.into(), limit.into()],
        )?,
        None => tx.query(
            "SELECT body, namespace, name FROM api_objects WHERE resource = $1 AND (namespace, name) > ($2, $3)
             ORDER BY namespace, name LIMIT $4",
            &[resource.into(), after.0.into(), after.1.into(), limit.into()],
        )?,
    };
    Ok(rows)
}

/// Whether anything of a resource was changed after a version.
pub fn is_changed_after(tx: &mut dyn Tx, resource: &str, version: i64) -> Result<bool, ApiError> {
    let sql = "SELECT 1 FROM api_changes WHERE resource = $1 AND version > $2 LIMIT 1";
    Ok(!tx.query(sql, &[resource.into(), version.into()])?.is_empty())
}

/// A change as it is stored, and whose it is.
#[derive(Clone)]
pub struct StoredChange {
    pub resource: String,
    pub namespace: String,
    pub version: i64,
    pub event: Event,
    /// The text of [`Change::before`].
    pub before: Option<String>,
    /// The text of [`Change::object`].
    pub object: String,
}

impl StoredChange {
    pub fn bytes(&self) -> usize {
        self.object.len() + self.before.as_ref().map_or(0, String::len)
    }

    pub fn read(&self) -> Result<Change, ApiError> {
        let (version, event) = (self.version, self.event);
        let before = self.before.as_ref().map(|before| parse(before, &self.resource)).transpose()?;
        Ok(Change { version, event, before, object: parse(&self.object, &self.resource)? })
    }
}

/// At most `limit` changes of everything after a version, oldest first.
pub fn all_changes(tx: &mut dyn Tx, after: i64, limit: i64) -> Result<Vec<StoredChange>, ApiError> {
    let sql = "SELECT version, event, body_before, body, resource, namespace FROM api_changes
               WHERE version > $1 ORDER BY version LIMIT $2";
    let rows = tx.query(sql, &[after.into(), limit.into()])?;
    rows.iter().map(|row| Ok(stored_change(row, row.text(4)?, row.text(5)?)?)).collect()
}

/// At most `limit` changes of a resource after a version, oldest first.
pub fn changes(
    tx: &mut dyn Tx,
    resource: &str,
    namespace: Option<&str>,
    after: i64,
    limit: i64,
) -> Result<Vec<Change>, ApiError> {
    let rows = tx.query(
        "SELECT version, event, body_before, body FROM api_changes
         WHERE resource = $1 AND version > $2 AND ($3 = '' OR namespace = $3) ORDER BY version LIMIT $4",
        &[resource.into(), after.into(), namespace.unwrap_or_default().into(), limit.into()],
    )?;
    rows.iter().map(|row| stored_change(row, resource, namespace.unwrap_or_default())?.read()).collect()
}

/// version, event, body_before, body
fn stored_change(row: &bedplate_db::Row, resource: &str, namespace: &str) -> Result<StoredChange, DbError> {
    Ok(StoredChange {
        resource: resource.to_owned(),
        namespace: namespace.to_owned(),
        version: row.int(0)?,
        event: Event::read(row.text(1)?),
        before: row.opt_text(2)?.map(str::to_owned),
        object: row.text(3)?.to_owned(),
    })
}

/// Everything that lies in a namespace.
pub fn keys_in(tx: &mut dyn Tx, namespace: &str) -> Result<Vec<Key>, ApiError> {
    let sql = "SELECT resource, namespace, name FROM api_objects WHERE namespace = $1 ORDER BY resource, name";
    read_keys(&tx.query(sql, &[namespace.into()])?)
}

pub fn is_empty(tx: &mut dyn Tx, namespace: &str) -> Result<bool, ApiError> {
    Ok(tx.query("SELECT 1 FROM api_objects WHERE namespace = $1 LIMIT 1", &[namespace.into()])?.is_empty())
}

/// The objects that name `uid` as an owner.
pub fn dependents(tx: &mut dyn Tx, uid: &str) -> Result<Vec<Key>, ApiError> {
    let sql =
        "SELECT resource, namespace, name FROM api_owners WHERE owner_uid = $1 ORDER BY resource, namespace, name";
    read_keys(&tx.query(sql, &[uid.into()])?)
}

/// The object with this uid, and where it is.
pub fn by_uid(tx: &mut dyn Tx, uid: &str) -> Result<Option<(Key, Value)>, ApiError> {
    let sql = "SELECT resource, namespace, name, body FROM api_objects WHERE uid = $1 LIMIT 1";
    let rows = tx.query(sql, &[uid.into()])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let key = Key::new(row.text(0)?, Some(row.text(1)?), row.text(2)?);
    let object = parse(row.text(3)?, &key)?;
    Ok(Some((key, object)))
}

/// Writes one change: the object's row, the change record and the audit leaf. Stamps `object` with its new version and
/// returns it as it is stored.
pub fn commit(
    tx: &mut dyn Tx,
    key: &Key,
    event: Event,
    before: Option<&Value>,
    object: &mut Value,
    by: &By,
) -> Result<String, ApiError> {
    let also = match &by.gate {
        Some(gate) => gate.ask(tx, key, event, before, object, by)?,
        None => Vec::new(),
    };
    let Memory { floor, head: version } = advance(tx, by.kept)?;
    meta::set(object, "resourceVersion", version.to_string());
    let body = object.to_string();
    match event {
        Event::Deleted => delete_row(tx, key)?,
        Event::Added | Event::Modified => put_row(tx, key, object, &body)?,
    }
    if before.map(meta::owners).unwrap_or_default() != meta::owners(object) || event == Event::Deleted {
        put_owners(tx, key, object, event)?;
    }
    if key.resource == binding::RESOURCE {
        binding::take_effect(tx, key, event, object)?;
    }
    if key.resource == rule::RESOURCE {
        rule::take_effect(tx, key, event, object)?;
    }
    if event == Event::Deleted {
        columns::gone(tx, key)?;
    }
    if key.resource == price_sheet::RESOURCE {
        price_sheet::take_effect(tx, key, event, object)?;
    }
    put_change(tx, key, event, before, version, &body)?;
    tx.execute("DELETE FROM api_changes WHERE version <= $1", &[floor.into()])?;
    if !lease::is_renewal(key, before, object) {
        bedplate_audit::append(tx, &leaf(key, object, &body, version, by))?;
    }
    governance::follow(tx, also, key, by)?;
    Ok(body)
}

/// Counts a new version, of which `kept` are kept. What was forgotten once stays so.
fn advance(tx: &mut dyn Tx, kept: i64) -> Result<Memory, ApiError> {
    let Memory { floor, head } = memory(tx)?;
    let next = Memory { floor: floor.max(head + 1 - kept), head: head + 1 };
    let sql = "UPDATE api_head SET floor = $1, version = $2 WHERE id = 1";
    tx.execute(sql, &[next.floor.into(), next.head.into()])?;
    Ok(next)
}

fn put_row(tx: &mut dyn Tx, key: &Key, object: &Value, body: &str) -> Result<(), ApiError> {
    let [resource, namespace, name] = key_args(key);
    tx.execute(
        "INSERT INTO api_objects (resource, namespace, name, uid, body) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (resource, namespace, name) DO UPDATE SET uid = excluded.uid, body = excluded.body",
        &[resource, namespace, name, meta::uid(object).into(), body.into()],
    )?;
    Ok(())
}

fn delete_row(tx: &mut dyn Tx, key: &Key) -> Result<(), ApiError> {
    tx.execute("DELETE FROM api_objects WHERE resource = $1 AND namespace = $2 AND name = $3", &key_args(key))?;
    Ok(())
}

fn put_owners(tx: &mut dyn Tx, key: &Key, object: &Value, event: Event) -> Result<(), ApiError> {
    tx.execute("DELETE FROM api_owners WHERE resource = $1 AND namespace = $2 AND name = $3", &key_args(key))?;
    let owners = if event == Event::Deleted { Vec::new() } else { meta::owners(object) };
    for owner in owners {
        let [resource, namespace, name] = key_args(key);
        tx.execute(
            "INSERT INTO api_owners (owner_uid, resource, namespace, name) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            &[owner.into(), resource, namespace, name],
        )?;
    }
    Ok(())
}

fn put_change(
    tx: &mut dyn Tx,
    key: &Key,
    event: Event,
    before: Option<&Value>,
    version: i64,
    body: &str,
) -> Result<(), ApiError> {
    let [resource, namespace, name] = key_args(key);
    let before = before.map(Value::to_string);
    tx.execute(
        "INSERT INTO api_changes (version, resource, namespace, name, event, body_before, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[version.into(), resource, namespace, name, event.as_str().into(), before.into(), body.into()],
    )?;
    Ok(())
}

/// What the audit log keeps: who did what to which object, and a digest to hold the object against. Of a Secret not even
/// the digest: short secrets can be guessed from it.
fn leaf(key: &Key, object: &Value, body: &str, version: i64, by: &By) -> Entry {
    let mut detail = json!({ "resourceVersion": version.to_string(), "uid": meta::uid(object) });
    if key.resource != "secrets" {
        detail["digest"] = Digest::from_sha256(Sha256::digest(body).into()).to_string().into();
    }
    if let Some(subresource) = by.subresource {
        detail["subresource"] = subresource.into();
    }
    if let Some(because) = &by.because {
        detail["because"] = because.as_str().into();
    }
    Entry { at: by.at, actor: by.actor.clone(), action: by.action.to_owned(), object: key.to_string(), detail }
}

fn key_args(key: &Key) -> [Sql; 3] {
    [(&key.resource).into(), (&key.namespace).into(), (&key.name).into()]
}

fn read_keys(rows: &[bedplate_db::Row]) -> Result<Vec<Key>, ApiError> {
    rows.iter().map(|row| Ok(Key::new(row.text(0)?, Some(row.text(1)?), row.text(2)?))).collect()
}

pub fn parse(body: &str, of: &dyn std::fmt::Display) -> Result<Value, ApiError> {
    serde_json::from_str(body).map_err(|error| corrupt(&of.to_string(), &error.to_string()))
}

fn corrupt(object: &str, why: &str) -> ApiError {
    ApiError::Corrupt { object: object.to_owned(), why: why.to_owned() }
}
