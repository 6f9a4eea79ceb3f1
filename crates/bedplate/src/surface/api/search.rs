//! `GET /bedplate/v1/search`: what is declared, found by words; of what the caller may not get, nothing is told.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::routing::{MethodRouter, get};
use axum::{Json, Router};
use bedplate_catalogue::EntryKind;
use bedplate_policy::{Action, Hidden, Operation};
use bedplate_types::{ErrorKind, Problem};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Facts, Failed};
use crate::surface::catalogue::{Catalogue, Wanted};

const USUAL: usize = 20;

#[derive(Clone)]
struct Served {
    facts: Facts,
    catalogue: Arc<Catalogue>,
}

pub fn router(facts: Facts, catalogue: Arc<Catalogue>) -> Router {
    let routes = table().into_iter();
    let router = routes.fold(Router::new(), |router, (operation, handler)| router.route(&operation.path, handler));
    router.with_state(Served { facts, catalogue })
}

/// Every operation of [`router`], and who may.
pub fn operations() -> Vec<Operation> {
    table().into_iter().map(|(operation, _)| operation).collect()
}

fn table() -> Vec<(Operation, MethodRouter<Served>)> {
    vec![(Operation::may("GET", "/bedplate/v1/search", Action::Get, "Dataset", Hidden::LeftOut), get(search))]
}

#[derive(Deserialize)]
struct SearchQuery {
    #[serde(default)]
    q: String,
    namespace: Option<String>,
    kind: Option<String>,
    owner: Option<String>,
    classification: Option<String>,
    tag: Option<String>,
    limit: Option<usize>,
}

async fn search(
    State(served): State<Served>,
    headers: HeaderMap,
    Query(asked): Query<SearchQuery>,
) -> Result<Json<Value>, Failed> {
    let who = served.facts.who(&headers)?;
    let wanted = wanted(asked)?;
    let answer = served.catalogue.search(&who, &wanted).await.map_err(Failed)?;
    Ok(Json(json!({ "query": wanted.text, "total": answer.total, "kinds": answer.kinds, "results": answer.results })))
}

fn wanted(asked: SearchQuery) -> Result<Wanted, Failed> {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let kind = match filled(asked.kind) {
        None => None,
        Some(kind) => Some(EntryKind::parse(&kind).ok_or_else(|| unknown(&kind))?),
    };
    Ok(Wanted {
        text: asked.q,
        namespace: filled(asked.namespace),
        kind,
        owner: filled(asked.owner),
        classification: filled(asked.classification),
        tag: filled(asked.tag),
        limit: asked.limit.unwrap_or(USUAL),
    })
}

fn unknown(kind: &str) -> Failed {
    let known = EntryKind::ALL.map(EntryKind::as_str).join(", ");
    Failed(
        Problem::new(ErrorKind::Invalid, format!("kind {kind}"), format!("is not searched; there are {known}"))
            .with_fix("bedplate search WORDS --kind dataset"),
    )
}
