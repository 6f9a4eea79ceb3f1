//! What things cost: by whatever they are told apart by, counted again, and corrected.

use std::str::FromStr;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use bedplate_audit::Entry;
use bedplate_ledger::{Dimension, Statement};
use bedplate_policy::{Action, Hidden, Operation};
use bedplate_types::{ErrorKind, Money, Problem, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Asked, Facts, Failed, Table, failed, readable};

const KIND: &str = "Cost";
const ROUNDING: &str = "cents by largest remainder: they sum to the total, rounded half to even";

pub fn table() -> Table {
    let may = |method, path, action| Operation::may(method, path, action, KIND, Hidden::Forbidden);
    vec![
        (may("GET", "/bedplate/v1/costs", Action::List), get(costs)),
        (may("GET", "/bedplate/v1/costs/verify", Action::List), get(verify)),
        (may("POST", "/bedplate/v1/costs/reversals", Action::Create), post(reverse)),
    ]
}

#[derive(Deserialize)]
struct CostsQuery {
    namespace: Option<String>,
    /// Names of dimensions, with commas; by resource when left out.
    by: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

async fn costs(
    State(facts): State<Facts>,
    headers: HeaderMap,
    Query(asked): Query<CostsQuery>,
) -> Result<Json<Value>, Failed> {
    let who = facts.who(&headers)?;
    may_see(&facts, &who, asked.namespace.as_deref())?;
    let by = asked.by.as_deref().unwrap_or("resource").split(',').filter(|name| !name.is_empty());
    let mut by: Vec<Dimension> = by.map(Dimension::from_str).collect::<Result<_, _>>().map_err(invalid)?;
    let mut seen = std::collections::BTreeSet::new();
    by.retain(|dimension| seen.insert(*dimension));
    let query = bedplate_ledger::Query {
        namespace: asked.namespace.clone(),
        from: asked.from.as_deref().map(day).transpose()?,
        to: asked.to.as_deref().map(day).transpose()?,
        by,
    };
    let told = facts.db.read(|tx| bedplate_ledger::statement(tx, &query));
    let told = told.map_err(|error| failed("reading the ledger")(&error))?;
    Ok(Json(json!({
        "namespace": query.namespace,
        "from": query.from,
        "to": query.to,
        "by": query.by,
        "lines": lines(&told, &query.by),
        "totals": told.totals.iter().map(|(currency, total)| total_of(currency, *total)).collect::<Vec<_>>(),
        "unpriced": told.unpriced.iter().map(unpriced).collect::<Vec<_>>(),
        "rounding": ROUNDING,
    })))
}

/// A namespace's costs are for who may list them there; those of all for who may list them everywhere.
fn may_see(facts: &Facts, who: &bedplate_identity::Principal, namespace: Option<&str>) -> Result<(), Failed> {
    let refused = |failed: Failed| match namespace {
        Some(_) => failed,
        None => Failed(failed.0.with_fix("ask for one namespace: bedplate costs -n NAMESPACE")),
    };
    facts.may(who, Action::List, namespace, KIND).map_err(refused)
}

fn invalid(why: impl Into<String>) -> Failed {
    Failed(Problem::new(ErrorKind::Invalid, "the costs asked for", why))
}

/// `2026-11-24` or an instant.
fn day(text: &str) -> Result<Timestamp, Failed> {
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    whole.parse().map_err(|_| invalid(format!("{text:?} is not a day; write it as 2026-11-24")))
}

fn lines(told: &Statement, by: &[Dimension]) -> Vec<Value> {
    let mut lines = Vec::new();
    for currency in told.totals.keys() {
        let of_currency: Vec<_> = told.lines.iter().filter(|line| &line.currency == currency).collect();
        let exact: Vec<Money> = of_currency.iter().map(|line| line.cost).collect();
        for (line, cents) in of_currency.into_iter().zip(bedplate_ledger::in_cents(&exact)) {
            let mut told: Map<String, Value> = by
                .iter()
                .zip(&line.key)
                .map(|(dimension, value)| (dimension.name().to_owned(), json!(value)))
                .collect();
            if let Some(amount) = line.amount_micro {
                told.insert("amount".into(), json!(Money(amount).to_string()));
            }
            told.insert("events".into(), json!(line.events));
            told.insert("cost".into(), json!(line.cost.to_string()));
            told.insert("rounded".into(), json!(in_units(cents)));
            told.insert("currency".into(), json!(currency));
            lines.push(Value::Object(told));
        }
    }
    lines
}

fn total_of(currency: &str, total: Money) -> Value {
    let cents = bedplate_ledger::in_cents(&[total]).first().copied().unwrap_or_default();
    json!({ "currency": currency, "cost": total.to_string(), "rounded": in_units(cents) })
}

fn in_units(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
}

fn unpriced(line: &bedplate_ledger::Unpriced) -> Value {
    json!({ "namespace": line.namespace, "resource": line.resource, "events": line.events,
            "amount": Money(line.amount_micro).to_string() })
}

async fn verify(State(facts): State<Facts>, headers: HeaderMap) -> Result<Json<Value>, Failed> {
    let who = facts.who(&headers)?;
    facts.may(&who, Action::List, None, KIND)?;
    let counted = tokio::task::spawn_blocking(move || facts.db.read(bedplate_ledger::verify)).await;
    let what = "counting the ledger again";
    let counted = counted.map_err(|error| Failed(Problem::new(ErrorKind::Internal, what, error.to_string())))?;
    let counted = counted.map_err(|error| failed(what)(&error))?;
    Ok(Json(json!({ "verified": true, "ledger": counted })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reversal {
    /// The id of the usage event.
    event: String,
    reason: String,
}

async fn reverse(
    State(facts): State<Facts>,
    headers: HeaderMap,
    asked: Asked<Reversal>,
) -> Result<Json<Value>, Failed> {
    let who = facts.who(&headers)?;
    facts.may(&who, Action::Create, None, KIND)?;
    let asked = readable(asked, "a reversal")?;
    if asked.reason.trim().is_empty() {
        return Err(invalid("a reversal needs a reason"));
    }
    let (now, event) = (facts.clock.now(), asked.event.clone());
    let written = facts.db.write_async(move |tx| {
        let done = bedplate_ledger::reverse(tx, &asked.event, &asked.reason, now);
        let done = done.map_err(|error| Problem::of("reversing a usage", &error))?;
        if done {
            let detail = json!({ "event": asked.event, "reason": asked.reason });
            let (actor, action, object) = (who.name.clone(), "reverse".to_owned(), "ledger".to_owned());
            let written = bedplate_audit::append(tx, &Entry { at: now, actor, action, object, detail });
            written.map_err(|error| Problem::of("recording a reversal", &error))?;
        }
        Ok::<_, Problem>(done)
    });
    let reversed = written.await.map_err(Failed)?;
    Ok(Json(json!({ "event": event, "reversed": true, "before": !reversed })))
}
