//! Events without a price: kept, told, and priced when a sheet for their time appears.

use bedplate_db::Tx;
use bedplate_types::Money;
use serde::Serialize;

use crate::balance::{self, Change, NONE};
use crate::transaction::post_usage;
use crate::{LedgerError, UsageEvent, day, event, sheet};

/// How much of a resource has no price yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unpriced {
    pub namespace: String,
    pub resource: String,
    pub events: i64,
    /// Millionths of the resource's unit.
    pub amount_micro: i64,
}

pub(crate) fn keep(tx: &mut dyn Tx, event: &UsageEvent) -> Result<(), LedgerError> {
    tx.execute(
        "INSERT INTO ledger_unpriced (usage_id, resource, at) VALUES ($1, $2, $3)",
        &[(&event.id).into(), (&event.resource).into(), event.at.micros().into()],
    )?;
    balance::add(tx, event, day::of(event.at), NONE, change(event, 1))
}

const fn change(event: &UsageEvent, sign: i64) -> Change {
    Change { events: sign, amount_micro: sign * event.amount_micro, cost: Money(0) }
}

/// Posts at most `limit` events that have a price by now, the oldest first, and returns how many; none are left when it is
/// fewer. Each is priced by the sheet of its own time.
///
/// # Errors
/// [`LedgerError::Overflow`], [`LedgerError::Db`].
pub fn price_backlog(tx: &mut dyn Tx, limit: u32) -> Result<u64, LedgerError> {
    let rows = tx.query(
        "SELECT u.id, u.at, u.namespace, u.team, u.subject, u.resource, u.amount_micro
         FROM ledger_unpriced b JOIN ledger_usage u ON u.id = b.usage_id
         JOIN ledger_sheets s ON s.valid_from <= b.at AND b.at < s.valid_to
         JOIN ledger_prices p ON p.sheet = s.name AND p.resource = b.resource
         ORDER BY u.at, u.id LIMIT $1",
        &[limit.into()],
    )?;
    let mut priced = 0;
    for row in &rows {
        let event = event::read(row)?;
        let Some(price) = sheet::price_at(tx, event.at, &event.resource)? else { continue };
        tx.execute("DELETE FROM ledger_unpriced WHERE usage_id = $1", &[(&event.id).into()])?;
        balance::add(tx, &event, day::of(event.at), NONE, change(&event, -1))?;
        post_usage(tx, &event, &price)?;
        priced += 1;
    }
    Ok(priced)
}

/// What no sheet prices, by namespace and resource; everywhere or in one namespace.
///
/// # Errors
/// [`LedgerError::Db`].
pub fn unpriced(tx: &mut dyn Tx, namespace: Option<&str>) -> Result<Vec<Unpriced>, LedgerError> {
    let rows = tx.query(
        "SELECT namespace, resource, CAST(SUM(events) AS BIGINT), CAST(SUM(amount_micro) AS BIGINT)
         FROM ledger_balances WHERE currency = '' AND ($1 = '' OR namespace = $1)
         GROUP BY namespace, resource HAVING SUM(events) <> 0 ORDER BY namespace, resource",
        &[namespace.unwrap_or_default().into()],
    )?;
    let read = |row: &bedplate_db::Row| {
        Ok(Unpriced {
            namespace: row.text(0)?.to_owned(),
            resource: row.text(1)?.to_owned(),
            events: row.int(2)?,
            amount_micro: row.int(3)?,
        })
    };
    rows.iter().map(read).collect()
}
