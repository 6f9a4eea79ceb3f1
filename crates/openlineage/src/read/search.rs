//! GET /api/v1/search

use axum::Json;
use bedplate_db::{Row, Tx, Value};
use bedplate_policy::Action;
use bedplate_types::Timestamp;
use serde::Serialize;

use crate::call::Call;
use crate::error::Failure;
use crate::node_id::NodeId;
use crate::part::{Invalid, NAME_LIMIT};
use crate::sight::Sight;

/// What Marquez answers when no limit was said.
const LIMIT: u32 = 10;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Found {
    total_count: usize,
    results: Vec<Hit>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Hit {
    #[serde(rename = "type")]
    sort: &'static str,
    name: String,
    updated_at: Timestamp,
    namespace: String,
    node_id: NodeId,
}

struct Search {
    /// In lower case; `%` and `_` stand for any text and any character.
    pattern: String,
    sort: Option<&'static str>,
    namespace: Option<String>,
    after: i64,
    before: i64,
    order: &'static str,
    limit: u32,
}

/// Datasets and jobs whose names hold the text, whatever its case. The count is that of the results, as in Marquez.
pub(crate) async fn search(call: Call) -> Result<Json<Found>, Failure> {
    let (search, sight) = (asked(&call)?, call.sight(Action::List));
    let results = call.read(move |tx| find(tx, &sight, &search)).await?;
    Ok(Json(Found { total_count: results.len(), results }))
}

fn asked(call: &Call) -> Result<Search, Invalid> {
    let text = call.need("q")?;
    if text.chars().count() > NAME_LIMIT {
        return Err(Invalid::new("q", format!("is longer than {NAME_LIMIT} characters")));
    }
    let sort = match call.text("filter").map(str::to_ascii_lowercase).as_deref() {
        None => None,
        Some("dataset") => Some("DATASET"),
        Some("job") => Some("JOB"),
        Some(_) => return Err(Invalid::new("filter", "must be dataset or job")),
    };
    let order = match call.text("sort").map(str::to_ascii_lowercase).as_deref() {
        None | Some("name") => "name, namespace, sort",
        Some("updated_at") => "updated_at DESC, name, namespace, sort",
        Some(_) => return Err(Invalid::new("sort", "must be name or updated_at")),
    };
    Ok(Search {
        pattern: format!("%{}%", text.to_lowercase().replace('\\', r"\\")),
        sort,
        namespace: call.text("namespace").map(str::to_owned),
        after: day(call, "after")?.unwrap_or(i64::MIN),
        before: day(call, "before")?.unwrap_or(i64::MAX),
        order,
        limit: call.page_of(LIMIT)?.limit,
    })
}

/// The first microsecond of the day, in UTC.
fn day(call: &Call, name: &str) -> Result<Option<i64>, Invalid> {
    let read = |text: &str| format!("{text}T00:00:00Z").parse::<Timestamp>().map(Timestamp::micros);
    let wrong = |_| Invalid::new(name, "must be a day as YYYY-MM-DD");
    call.text(name).map(|text| read(text).map_err(wrong)).transpose()
}

fn find(tx: &mut dyn Tx, sight: &Sight, search: &Search) -> Result<Vec<Hit>, Failure> {
    let scopes = sight.scopes(tx)?;
    if scopes.is_empty() {
        return Ok(Vec::new());
    }
    let mut args: Vec<Value> = vec![
        (&search.pattern).into(),
        search.namespace.clone().into(),
        search.after.into(),
        search.before.into(),
        search.sort.into(),
        search.limit.into(),
    ];
    let places = scopes.bind(&mut args);
    let matches = format!(
        "LOWER(name) LIKE $1 ESCAPE '\\' AND (CAST($2 AS TEXT) IS NULL OR namespace = $2) AND updated_at > $3 AND updated_at < $4
         AND scope IN {places}"
    );
    let sql = format!(
        "SELECT sort, name, updated_at, namespace FROM (
             SELECT 'DATASET' AS sort, name, updated_at, namespace FROM openlineage_datasets WHERE {matches}
             UNION ALL SELECT 'JOB' AS sort, name, updated_at, namespace FROM openlineage_jobs WHERE {matches}
         ) AS found WHERE CAST($5 AS TEXT) IS NULL OR sort = $5 ORDER BY {} LIMIT $6",
        search.order
    );
    tx.query(&sql, &args)?.iter().map(hit).collect()
}

fn hit(row: &Row) -> Result<Hit, Failure> {
    let (name, namespace) = (row.text(1)?.to_owned(), row.text(3)?.to_owned());
    let (sort, node_id) = match row.text(0)? {
        "JOB" => ("JOB", NodeId::job(&namespace, &name)),
        _ => ("DATASET", NodeId::dataset(&namespace, &name)),
    };
    Ok(Hit { sort, name, updated_at: Timestamp::from_micros(row.int(2)?), namespace, node_id })
}
