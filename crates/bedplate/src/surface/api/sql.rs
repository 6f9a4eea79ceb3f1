//! `POST …/sql`: a statement that reads, answered as an Arrow stream or as JSON lines.

mod encode;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use bedplate_policy::{Action, Hidden, Operation};
use serde::Deserialize;

use self::encode::{Format, encoded};
use super::{Asked, Facts, Failed, readable};
use crate::surface::sql::{Caller, Sql, Statement, engine};

/// The largest request: a statement and a little around it.
const BODY_LIMIT: usize = 256 << 10;

#[derive(Clone)]
struct Served {
    facts: Facts,
    sql: Sql,
}

pub fn router(facts: Facts, sql: Sql) -> Router {
    let routes = table().into_iter();
    let router = routes.fold(Router::new(), |router, (operation, handler)| router.route(&operation.path, handler));
    router.layer(DefaultBodyLimit::max(BODY_LIMIT)).with_state(Served { facts, sql })
}

/// Every operation of [`router`], and who may.
pub fn operations() -> Vec<Operation> {
    table().into_iter().map(|(operation, _)| operation).collect()
}

fn table() -> Vec<(Operation, MethodRouter<Served>)> {
    let path = "/bedplate/v1/namespaces/{namespace}/sql";
    vec![(Operation::may("POST", path, Action::ReadData, "Dataset", Hidden::NotFound), post(sql))]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    sql: String,
    /// What the rows are read for.
    purpose: Option<String>,
    /// The most rows.
    limit: Option<usize>,
    /// Where it is to run.
    engine: Option<String>,
}

async fn sql(
    State(served): State<Served>,
    headers: HeaderMap,
    Path(namespace): Path<String>,
    asked: Asked<Query>,
) -> Result<Response, Failed> {
    let principal = served.facts.who(&headers)?;
    let asked = readable(asked, "a statement")?;
    let caller = Caller { principal, namespace, purpose: asked.purpose.filter(|purpose| !purpose.is_empty()) };
    let engine = engine(asked.engine.as_deref()).map_err(Failed)?;
    let statement = Statement { limit: asked.limit, engine, ..Statement::new(asked.sql, "http") };
    let answer = served.sql.run(&caller, statement).await.map_err(Failed)?;
    let format = Format::wanted(headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()));
    let pieces = encoded(answer, format).map_err(Failed)?;
    Ok(([(header::CONTENT_TYPE, format.content_type())], Body::from_stream(pieces)).into_response())
}
