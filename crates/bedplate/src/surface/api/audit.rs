//! The audit log: its entries, its own check, and everything with which others check it without us.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bedplate_audit::{AuditError, CHECKPOINT, VKEY};
use bedplate_policy::Action;
use bedplate_types::{ErrorKind, Problem};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Facts, Failed, failed};

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

#[derive(Deserialize)]
pub struct LogQuery {
    from: Option<u64>,
    limit: Option<u32>,
}

pub async fn log(
    State(facts): State<Facts>,
    headers: HeaderMap,
    Query(query): Query<LogQuery>,
) -> Result<Json<Value>, Failed> {
    may_read(&facts, &headers)?;
    let limit = query.limit.unwrap_or(50).min(1_000);
    let entries = facts
        .db
        .read(|tx| bedplate_audit::entries(tx, query.from.unwrap_or_default(), limit))
        .map_err(|error| failed("reading the audit log")(&error))?;
    let entries: Vec<_> = entries
        .into_iter()
        .map(|(leaf, entry)| {
            json!({ "leaf": leaf, "at": entry.at, "actor": entry.actor, "action": entry.action,
            "object": entry.object, "detail": entry.detail })
        })
        .collect();
    Ok(Json(json!({ "entries": entries })))
}

pub async fn verify(State(facts): State<Facts>, headers: HeaderMap) -> Result<Json<Value>, Failed> {
    may_read(&facts, &headers)?;
    let verified = blocking("verifying the audit log", facts, |facts| {
        facts.db.read(|tx| bedplate_audit::verify(tx, &facts.audit_key))
    });
    let verified = verified.await?;
    Ok(Json(json!({ "verified": true, "leaves": verified.leaves, "root": verified.root })))
}

pub async fn checkpoint(State(facts): State<Facts>, headers: HeaderMap) -> Result<Response, Failed> {
    published(facts, &headers, CHECKPOINT.to_owned(), TEXT).await
}

pub async fn vkey(State(facts): State<Facts>, headers: HeaderMap) -> Result<Response, Failed> {
    published(facts, &headers, VKEY.to_owned(), TEXT).await
}

/// A hash tile or an entry bundle (C2SP tlog-tiles).
pub async fn tile(
    State(facts): State<Facts>,
    headers: HeaderMap,
    Path(path): Path<String>,
) -> Result<Response, Failed> {
    published(facts, &headers, format!("tile/{path}"), BYTES).await
}

/// A leaf's receipt (C2SP tlog-proof).
pub async fn proof(
    State(facts): State<Facts>,
    headers: HeaderMap,
    Path(leaf): Path<String>,
) -> Result<Response, Failed> {
    may_read(&facts, &headers)?;
    let what = "proving an audit leaf";
    let not_a_leaf =
        |_| Failed(Problem::new(ErrorKind::NotFound, what, format!("{leaf:?} is not the number of a leaf")));
    let leaf: u64 = leaf.parse().map_err(not_a_leaf)?;
    let receipt = blocking(what, facts, move |facts| facts.db.read(|tx| bedplate_audit::receipt(tx, leaf))).await?;
    Ok(([(header::CONTENT_TYPE, TEXT)], receipt.to_string()).into_response())
}

async fn published(facts: Facts, headers: &HeaderMap, path: String, kind: &'static str) -> Result<Response, Failed> {
    may_read(&facts, headers)?;
    let what = "publishing the audit log";
    let asked = path.clone();
    let found =
        blocking(what, facts, move |facts| facts.db.read(|tx| bedplate_audit::published(tx, &facts.audit_key, &asked)));
    let Some(bytes) = found.await? else {
        let why = format!("the signed log has no {path}");
        return Err(Failed(Problem::new(ErrorKind::NotFound, what, why)));
    };
    // The log is not public: whoever keeps copies must have been asked to.
    let told = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "private, no-store")];
    Ok((told, bytes).into_response())
}

fn may_read(facts: &Facts, headers: &HeaderMap) -> Result<(), Failed> {
    let who = facts.who(headers)?;
    facts.may(&who, Action::List, None, "Audit")
}

async fn blocking<T: Send + 'static>(
    what: &'static str,
    facts: Facts,
    work: impl FnOnce(&Facts) -> Result<T, AuditError> + Send + 'static,
) -> Result<T, Failed> {
    match tokio::task::spawn_blocking(move || work(&facts)).await {
        Ok(done) => done.map_err(|error| failed(what)(&error)),
        Err(error) => Err(Failed(Problem::new(ErrorKind::Internal, what, error.to_string()))),
    }
}
