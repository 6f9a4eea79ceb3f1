//! GET /api/v1/namespaces and /api/v1/namespaces/{namespace}

use axum::Json;
use bedplate_db::{Row, Tx};
use bedplate_policy::Action;
use bedplate_types::Timestamp;
use serde::Serialize;

use crate::answer::Namespace;
use crate::call::{Call, Page};
use crate::error::Failure;
use crate::sight::Sight;

/// Who owns what only events told of, as Marquez says it.
const OWNER: &str = "anonymous";

#[derive(Serialize)]
pub(crate) struct Namespaces {
    namespaces: Vec<Namespace>,
}

pub(crate) async fn list(call: Call) -> Result<Json<Namespaces>, Failure> {
    let (page, sight) = (call.page()?, call.sight(Action::List));
    let namespaces = call.read(move |tx| all(tx, &sight, page)).await?;
    Ok(Json(Namespaces { namespaces }))
}

pub(crate) async fn get(call: Call) -> Result<Json<Namespace>, Failure> {
    let (name, sight) = (call.name("namespace")?, call.sight(Action::Get));
    call.read(move |tx| one(tx, &sight, &name)).await.map(Json)
}

fn all(tx: &mut dyn Tx, sight: &Sight, page: Page) -> Result<Vec<Namespace>, Failure> {
    let scopes = sight.scopes(tx)?;
    if scopes.is_empty() {
        return Ok(Vec::new());
    }
    let mut args = vec![page.limit.into(), page.offset.into()];
    let places = scopes.bind(&mut args);
    let sql = format!(
        "SELECT name, created_at, updated_at FROM openlineage_namespaces WHERE scope IN {places}
         ORDER BY name LIMIT $1 OFFSET $2"
    );
    tx.query(&sql, &args)?.iter().map(namespace).collect()
}

/// The namespace, when it is there and may be seen.
pub(super) fn one(tx: &mut dyn Tx, sight: &Sight, name: &str) -> Result<Namespace, Failure> {
    let missing = || Failure::NotFound(format!("Namespace '{name}'"));
    if !sight.reaches(name) {
        return Err(missing());
    }
    let sql = "SELECT name, created_at, updated_at FROM openlineage_namespaces WHERE name = $1";
    tx.query(sql, &[name.into()])?.first().map(namespace).ok_or_else(missing)?
}

fn namespace(row: &Row) -> Result<Namespace, Failure> {
    Ok(Namespace {
        name: row.text(0)?.to_owned(),
        created_at: Timestamp::from_micros(row.int(1)?),
        updated_at: Timestamp::from_micros(row.int(2)?),
        owner_name: OWNER,
        description: None,
        is_hidden: false,
    })
}
