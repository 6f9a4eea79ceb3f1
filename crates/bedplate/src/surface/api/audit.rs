//! The audit log: its entries, its own check, and everything with which others check it without us.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bedplate_audit::{AuditError, CHECKPOINT, COSIGNED, Filter, VKEY};
use bedplate_policy::Action;
use bedplate_types::{ErrorKind, Problem, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Facts, Failed, failed};

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

#[derive(Deserialize)]
pub struct LogQuery {
    from: Option<u64>,
    limit: Option<u32>,
    actor: Option<String>,
    action: Option<String>,
    object: Option<String>,
    since: Option<Timestamp>,
}

pub async fn log(
    State(facts): State<Facts>,
    headers: HeaderMap,
    Query(query): Query<LogQuery>,
) -> Result<Json<Value>, Failed> {
    may_read(&facts, &headers)?;
    let limit = query.limit.unwrap_or(50).min(1_000);
    let filter = Filter { actor: query.actor, action: query.action, object: query.object, since: query.since };
    let from = query.from.unwrap_or_default();
    let page = blocking("reading the audit log", facts, move |facts| {
        facts.db.read(|tx| bedplate_audit::search(tx, &filter, from, limit))
    });
    let page = page.await?;
    let entries: Vec<_> = page
        .entries
        .into_iter()
        .map(|(leaf, entry)| {
            json!({ "leaf": leaf, "at": entry.at, "actor": entry.actor, "action": entry.action,
            "object": entry.object, "detail": entry.detail })
        })
        .collect();
    Ok(Json(json!({ "entries": entries, "next": page.next })))
}

/// Recomputes the log, and holds it against what a witness cosigned of it.
pub async fn verify(State(facts): State<Facts>, headers: HeaderMap) -> Result<Json<Value>, Failed> {
    may_read(&facts, &headers)?;
    let verified = blocking("verifying the audit log", facts, |facts| {
        facts.db.read(|tx| {
            let verified = bedplate_audit::verify(tx, &facts.audit_key)?;
            let cosigned = bedplate_audit::cosigned_checkpoint(tx)?.map(|checkpoint| checkpoint.note);
            if let Some(note) = &cosigned {
                bedplate_audit::verify_against(tx, note, &facts.audit_key)?;
            }
            Ok((verified, cosigned, bedplate_audit::witnesses(tx)?))
        })
    });
    let (verified, cosigned, witnesses) = verified.await?;
    Ok(Json(json!({ "verified": true, "leaves": verified.leaves, "root": verified.root, "cosigned": cosigned,
                    "witnesses": witnesses })))
}

/// How it stands with each witness.
pub async fn witnesses(State(facts): State<Facts>, headers: HeaderMap) -> Result<Json<Value>, Failed> {
    may_read(&facts, &headers)?;
    let told = blocking("the audit log's witnesses", facts, |facts| facts.db.read(bedplate_audit::witnesses)).await?;
    Ok(Json(json!({ "witnesses": told })))
}

pub async fn cosigned(State(facts): State<Facts>, headers: HeaderMap) -> Result<Response, Failed> {
    published(facts, &headers, COSIGNED.to_owned(), TEXT).await
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
