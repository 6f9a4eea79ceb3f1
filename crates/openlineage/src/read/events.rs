//! GET /api/v1/events/lineage

use axum::Json;
use bedplate_db::{Tx, Value};
use bedplate_policy::Action;
use serde::Serialize;
use serde_json::value::RawValue;

use super::facets::{raw, within};
use crate::call::{Call, Page};
use crate::error::Failure;
use crate::part::Invalid;
use crate::sight::Sight;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Events {
    events: Vec<Box<RawValue>>,
    total_count: i64,
}

/// Events with `after <= eventTime < before`.
struct Span {
    after: i64,
    before: i64,
    ascending: bool,
}

/// Events of all three kinds, each with the bytes it came in.
pub(crate) async fn list(call: Call) -> Result<Json<Events>, Failure> {
    let (page, sight) = (call.page()?, call.sight(Action::List));
    let after = call.time("after")?.map_or(i64::MIN, |time| time.micros());
    let before = call.time("before")?.map_or(i64::MAX, |time| time.micros());
    let ascending = match call.text("sortDirection").map(str::to_ascii_lowercase).as_deref() {
        None | Some("desc") => false,
        Some("asc") => true,
        Some(_) => return Err(Invalid::new("sortDirection", "must be asc or desc").into()),
    };
    let span = Span { after, before, ascending };
    call.read(move |tx| events(tx, &sight, &span, page)).await.map(Json)
}

fn events(tx: &mut dyn Tx, sight: &Sight, span: &Span, page: Page) -> Result<Events, Failure> {
    let scopes = sight.scopes(tx)?;
    if scopes.is_empty() {
        return Ok(Events { events: Vec::new(), total_count: 0 });
    }
    let mut args: Vec<Value> = vec![span.after.into(), span.before.into()];
    let places = scopes.bind(&mut args);
    let from = format!(
        "FROM openlineage_events e WHERE e.at >= $1 AND e.at < $2 AND NOT EXISTS
             (SELECT 1 FROM openlineage_event_scopes s WHERE s.event = e.digest AND s.scope NOT IN {places})"
    );
    let count = tx.query(&format!("SELECT COUNT(*) {from}"), &args)?;
    let (limit, offset) = (args.len() + 1, args.len() + 2);
    let order = if span.ascending { "e.at, e.digest" } else { "e.at DESC, e.digest DESC" };
    args.extend([page.limit.into(), page.offset.into()]);
    let rows =
        tx.query(&format!("SELECT e.digest, e.bytes {from} ORDER BY {order} LIMIT ${limit} OFFSET ${offset}"), &args)?;
    let digests =
        within(&rows, |row| Ok((usize::try_from(row.int(1)?).unwrap_or(usize::MAX), row.text(0)?.to_owned())))?;
    let events = digests.iter().map(|digest| body(tx, digest)).collect::<Result<_, _>>()?;
    Ok(Events { events, total_count: count.first().map_or(Ok(0), |row| row.int(0))? })
}

fn body(tx: &mut dyn Tx, digest: &str) -> Result<Box<RawValue>, Failure> {
    let missing = || Failure::Stored(format!("event {digest}"));
    let rows = tx.query("SELECT body FROM openlineage_events WHERE digest = $1", &[digest.into()])?;
    raw(rows.first().ok_or_else(missing)?.text(0)?, digest)
}
