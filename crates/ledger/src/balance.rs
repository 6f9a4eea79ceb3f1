//! Sums by day, kept in the transaction of every entry.

use bedplate_db::{DbError, Tx};
use bedplate_types::Money;

use crate::{LedgerError, UsageEvent};

/// The currency of what is not priced yet.
pub(crate) const NONE: &str = "";

/// What is added to a balance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub events: i64,
    pub amount_micro: i64,
    pub cost: Money,
}

pub(crate) fn add(
    tx: &mut dyn Tx,
    event: &UsageEvent,
    day: i64,
    currency: &str,
    change: Change,
) -> Result<(), LedgerError> {
    let told = tx.query(
        "INSERT INTO ledger_balances AS known
             (day, namespace, team, subject, resource, currency, events, amount_micro, cost_micro)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (namespace, day, team, subject, resource, currency) DO UPDATE SET
             events = known.events + excluded.events,
             amount_micro = known.amount_micro + excluded.amount_micro,
             cost_micro = known.cost_micro + excluded.cost_micro
         RETURNING amount_micro, cost_micro",
        &[
            day.into(),
            (&event.namespace).into(),
            (&event.team).into(),
            (&event.subject).into(),
            (&event.resource).into(),
            currency.into(),
            change.events.into(),
            change.amount_micro.into(),
            change.cost.0.into(),
        ],
    );
    // SQLite makes a sum beyond 64 bits a floating point number; PostgreSQL refuses it itself.
    let rows = match told {
        Err(DbError::Unstorable { .. }) => return Err(LedgerError::overflow(event)),
        told => told?,
    };
    let whole = rows.first().is_some_and(|row| row.int(0).is_ok() && row.int(1).is_ok());
    if whole { Ok(()) } else { Err(LedgerError::overflow(event)) }
}
