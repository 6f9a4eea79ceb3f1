//! GET /api/v1/events/lineage

use axum::Json;
use bedplate_db::{Row, Tx, Value};
use bedplate_policy::Action;
use serde::Serialize;
use serde_json::value::RawValue;

use super::facets::raw;
use crate::call::{Call, Page};
use crate::error::Failure;
use crate::part::Invalid;
use crate::sight::Sight;

/// The most bytes of events in one answer. A list is cut before it would be longer; the first event is always there.
const BYTES: i64 = 32 << 20;

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
    let events = fitting(&rows)?.into_iter().map(|digest| body(tx, digest)).collect::<Result<_, _>>()?;
    Ok(Events { events, total_count: count.first().map_or(Ok(0), |row| row.int(0))? })
}

/// The first digests whose events fit together into an answer.
fn fitting(rows: &[Row]) -> Result<Vec<&str>, Failure> {
    let mut total: i64 = 0;
    let mut fitting = Vec::new();
    for row in rows {
        total = total.saturating_add(row.int(1)?);
        if total > BYTES && !fitting.is_empty() {
            break;
        }
        fitting.push(row.text(0)?);
    }
    Ok(fitting)
}

fn body(tx: &mut dyn Tx, digest: &str) -> Result<Box<RawValue>, Failure> {
    let missing = || Failure::Stored(format!("event {digest}"));
    let rows = tx.query("SELECT body FROM openlineage_events WHERE digest = $1", &[digest.into()])?;
    raw(rows.first().ok_or_else(missing)?.text(0)?, digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_cut_before_it_is_too_long_and_never_empty() {
        let row = |digest: &str, bytes: i64| Row::new(vec![digest.into(), bytes.into()]);
        let check = |rows: &[Row], expect: &[&str]| assert_eq!(fitting(rows).unwrap(), expect);
        check(&[row("a", BYTES + 1), row("b", 1)], &["a"]);
        check(&[row("a", BYTES - 1), row("b", 1), row("c", 1)], &["a", "b"]);
        check(&[], &[]);
    }
}
