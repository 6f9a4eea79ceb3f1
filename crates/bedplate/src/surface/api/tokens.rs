//! Tokens: made, listed and ended. One is shown once, when it is made.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{delete, get, post};
use bedplate_audit::Entry;
use bedplate_identity::{Principal, TokenInfo, TokenRequest, namespace_of};
use bedplate_policy::{Action, Hidden, Operation};
use bedplate_types::{ErrorKind, Explained, Problem, Scope};
use serde_json::{Value, json};

use super::{Asked, Facts, Failed, Table, readable};
use crate::keys;

const KIND: &str = "Token";

pub fn table() -> Table {
    let may = |method, path, action, hidden| Operation::may(method, path, action, KIND, hidden);
    vec![
        (may("GET", "/bedplate/v1/tokens", Action::List, Hidden::LeftOut), get(list)),
        (may("POST", "/bedplate/v1/tokens", Action::Create, Hidden::Forbidden), post(create)),
        (may("DELETE", "/bedplate/v1/tokens/{id}", Action::Delete, Hidden::NotFound), delete(revoke)),
    ]
}

async fn create(
    State(facts): State<Facts>,
    headers: HeaderMap,
    request: Asked<TokenRequest>,
) -> Result<(StatusCode, Json<Value>), Failed> {
    let who = facts.who(&headers)?;
    let request = readable(request, "a new token")?;
    facts.may(&who, Action::Create, request.namespace(), KIND)?;
    gives_no_more(&who, &request)?;
    let of = |error: &dyn Explained| Failed(Problem::of("a new token", error));
    let now = facts.clock.now();
    let wants_key = request.s3;
    let (new, random) = (request.at(now).map_err(|error| of(&error))?, keys::random().map_err(Failed)?);
    let made = new.clone();
    let written = facts.db.write_async(move |tx| {
        let token =
            bedplate_identity::issue(tx, &new, now, random).map_err(|error| Problem::of("a new token", &error))?;
        let id = bedplate_identity::token_id(&token).map_err(|error| Problem::of("a new token", &error))?;
        let detail = json!({ "principal": new.principal, "expiresAt": new.expires_at, "scope": new.scope });
        record(
            tx,
            Entry { at: now, actor: who.name.clone(), action: "create".into(), object: format!("tokens/{id}"), detail },
        )?;
        Ok::<_, Problem>((id, token))
    });
    let (id, token) = written.await.map_err(Failed)?;
    let mut told = json!({ "id": id, "token": token, "principal": made.principal, "expiresAt": made.expires_at,
        "scope": made.scope });
    if wants_key {
        let secret = facts.access_keys.secret(&token).map_err(|error| of(&error))?;
        (told["accessKeyId"], told["secretAccessKey"]) = (json!(id), json!(secret));
    }
    Ok((StatusCode::CREATED, Json(told)))
}

/// What is narrowed makes nothing wider than itself.
fn gives_no_more(who: &Principal, request: &TokenRequest) -> Result<(), Failed> {
    match (who.scope(), &request.scope) {
        (None, _) => Ok(()),
        (Some(own), Some(asked)) if asked.is_within(&own) => Ok(()),
        (Some(own), _) => {
            let why = format!("your own token is narrowed to {own}");
            Err(Failed(
                Problem::new(ErrorKind::Denied, "a new token", why).with_fix(format!("--scope \"{own}\", or less")),
            ))
        }
    }
}

/// Those the caller may see: its own, and those of the places it owns.
async fn list(State(facts): State<Facts>, headers: HeaderMap) -> Result<Json<Value>, Failed> {
    let who = facts.who(&headers)?;
    let tokens = facts.db.read(bedplate_identity::list);
    let tokens = tokens.map_err(|error| Failed(Problem::of("the tokens", &error)))?;
    let seen: Vec<_> = tokens.into_iter().filter(|token| facts.may_touch(&who, Action::List, token)).collect();
    Ok(Json(json!({ "tokens": seen })))
}

async fn revoke(State(facts): State<Facts>, headers: HeaderMap, Path(id): Path<String>) -> Result<Json<Value>, Failed> {
    let who = facts.who(&headers)?;
    let tokens = facts.db.read(bedplate_identity::list);
    let tokens = tokens.map_err(|error| Failed(Problem::of("the tokens", &error)))?;
    let found = tokens.into_iter().find(|token| token.id == id && facts.may_touch(&who, Action::Delete, token));
    // Whether it exists is told to those only who may end it.
    let token = found.ok_or_else(|| {
        let problem = Problem::new(ErrorKind::NotFound, format!("token {id}"), "there is no such token");
        Failed(problem.with_fix("bedplate token list"))
    })?;
    let (now, ended) = (facts.clock.now(), token.id.clone());
    let written = facts.db.write_async(move |tx| {
        let of = |error: &dyn Explained| Problem::of(format!("token {ended}"), error);
        let revoked = bedplate_identity::revoke(tx, &ended).map_err(|error| of(&error))?;
        let detail = json!({ "principal": token.principal });
        let object = format!("tokens/{ended}");
        if revoked {
            record(tx, Entry { at: now, actor: who.name.clone(), action: "revoke".into(), object, detail })?;
        }
        Ok::<_, Problem>(revoked)
    });
    let revoked = written.await.map_err(Failed)?;
    facts.authenticator.forget();
    Ok(Json(json!({ "id": id, "revoked": true, "before": !revoked })))
}

fn record(tx: &mut dyn bedplate_db::Tx, entry: Entry) -> Result<(), Problem> {
    bedplate_audit::append(tx, &entry).map(|_| ()).map_err(|error| Problem::of("recording it", &error))
}

impl Facts {
    /// Whether `who` may do this to the token: to its own always, as far as its scope goes.
    fn may_touch(&self, who: &Principal, action: Action, token: &TokenInfo) -> bool {
        let namespace = namespace_of(&token.principal.name);
        let covers = |scope: Scope| scope.covers(action.as_str(), KIND, namespace.unwrap_or("*"));
        let owned = who.name == token.principal.name && who.scope().is_none_or(covers);
        owned || self.may(who, action, namespace, KIND).is_ok()
    }
}
