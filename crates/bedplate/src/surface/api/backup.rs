//! A backup of the running platform, sent while it is taken; for those only who may read every Secret of it.

use std::io::{self, Write};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use bedplate_audit::Entry;
use bedplate_policy::{Action, Hidden, Operation};
use bedplate_types::{ErrorKind, Problem};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use super::{Facts, Failed, failed};
use crate::backup::{Source, take};

/// Pieces that wait for the client at most, and how large one is.
const PIECES: usize = 4;
const PIECE: usize = 256 * 1024;

#[derive(Clone)]
pub struct Backups {
    pub facts: Facts,
    pub source: Source,
    /// What is not in it, in words.
    left_out: Option<String>,
    /// One at a time.
    busy: Arc<Mutex<()>>,
}

impl Backups {
    pub fn new(facts: Facts, source: Source, left_out: Option<String>) -> Self {
        Self { facts, source, left_out, busy: Arc::default() }
    }
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    keys: bool,
}

pub fn router(backups: Backups) -> Router {
    let routes = table().into_iter();
    let router = routes.fold(Router::new(), |router, (operation, handler)| router.route(&operation.path, handler));
    router.with_state(backups)
}

/// Every operation of [`router`], and who may.
pub fn operations() -> Vec<Operation> {
    table().into_iter().map(|(operation, _)| operation).collect()
}

fn table() -> Vec<(Operation, MethodRouter<Backups>)> {
    vec![(Operation::may("POST", "/bedplate/v1/backup", Action::Get, "Secret", Hidden::Forbidden), post(backup))]
}

async fn backup(
    State(backups): State<Backups>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Failed> {
    let facts = &backups.facts;
    let who = facts.who(&headers)?;
    facts.may(&who, Action::Get, None, "secrets")?;
    let Ok(turn) = backups.busy.clone().try_lock_owned() else {
        let problem = Problem::new(ErrorKind::Busy, "a backup", "another one is being taken");
        return Err(Failed(problem.with_fix("wait until it is done")));
    };
    let entry = Entry {
        at: facts.clock.now(),
        actor: who.name,
        action: "backup".into(),
        object: "platform".into(),
        detail: json!({ "keys": asked.keys }),
    };
    let told = facts.db.write_async(move |tx| bedplate_audit::append(tx, &entry)).await;
    told.map_err(|error| failed("the audit log")(&error))?;
    let source = Source { with_keys: asked.keys, ..backups.source.clone() };
    let (send, pieces) = mpsc::channel(PIECES);
    let now = facts.clock.now();
    tokio::task::spawn_blocking(move || send_all(&source, now, Pieces { send, piece: Vec::new() }, turn));
    let body = Body::from_stream(ReceiverStream::new(pieces));
    let mut answer = ([(header::CONTENT_TYPE, "application/gzip")], body).into_response();
    if let Some(told) = backups.left_out.as_ref().and_then(|told| HeaderValue::from_str(told).ok()) {
        answer.headers_mut().insert(bedplate_client::LEFT_OUT, told);
    }
    Ok(answer)
}

/// What goes wrong ends the answer before its end, which the client sees.
fn send_all(source: &Source, now: bedplate_types::Timestamp, pieces: Pieces, turn: OwnedMutexGuard<()>) {
    let send = pieces.send.clone();
    let taken = take(source, now, pieces).map(|(pieces, _)| pieces);
    let sent = taken.and_then(|mut pieces| {
        pieces.flush().map_err(|error| Problem::new(ErrorKind::Internal, "the backup", error.to_string()))
    });
    if let Err(problem) = sent {
        tracing::error!(%problem, "a backup was not completed");
        let _ = send.blocking_send(Err(io::Error::other(problem.to_string())));
    }
    drop(turn);
}

/// The sending end of the answer's body.
struct Pieces {
    send: mpsc::Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::take(&mut self.piece);
        let sent = piece.is_empty() || self.send.blocking_send(Ok(piece.into())).is_ok();
        if sent { Ok(()) } else { Err(io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads it any more")) }
    }
}
