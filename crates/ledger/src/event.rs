//! One use of one resource, and how it enters the ledger.

use bedplate_db::Tx;
use bedplate_types::{Money, Timestamp};

use crate::price::cost;
use crate::{LedgerError, PriceSheet};

/// Somebody used something. A negative amount takes back an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageEvent {
    /// Given by whoever measured; recording the same id again changes nothing.
    pub id: String,
    pub at: Timestamp,
    pub namespace: String,
    /// What it was used for, for example `run:…` or `endpoint:ns/name`.
    pub subject: String,
    /// For example `cpu_seconds`, `storage_bytes`, `predictions`.
    pub resource: String,
    /// Millionths of the resource's unit.
    pub amount_micro: i64,
}

/// Prices the event and writes it down. False when its id was recorded before: what is in the ledger then stands,
/// whatever this event says.
///
/// # Errors
/// [`LedgerError::Unpriced`], [`LedgerError::Overflow`], or [`LedgerError::Currency`] when earlier events were priced in
/// another currency.
pub fn record(tx: &mut dyn Tx, event: &UsageEvent, sheet: &PriceSheet) -> Result<bool, LedgerError> {
    let unit = price_of(event, sheet)?;
    let cost = cost(event.amount_micro, unit).ok_or_else(|| LedgerError::Overflow {
        id: event.id.clone(),
        resource: event.resource.clone(),
        amount_micro: event.amount_micro,
    })?;
    refuse_other_currency(tx, event, sheet)?;
    insert(tx, event, sheet, unit, cost)
}

fn price_of(event: &UsageEvent, sheet: &PriceSheet) -> Result<Money, LedgerError> {
    sheet.prices.get(&event.resource).copied().ok_or_else(|| LedgerError::Unpriced {
        id: event.id.clone(),
        resource: event.resource.clone(),
        priced: sheet.priced(),
    })
}

fn refuse_other_currency(tx: &mut dyn Tx, event: &UsageEvent, sheet: &PriceSheet) -> Result<(), LedgerError> {
    let rows = tx.query("SELECT currency FROM ledger_events LIMIT 1", &[])?;
    let Some(row) = rows.first() else { return Ok(()) };
    let ledger = row.text(0)?;
    if ledger == sheet.currency {
        return Ok(());
    }
    Err(LedgerError::Currency { id: event.id.clone(), sheet: sheet.currency.clone(), ledger: ledger.to_owned() })
}

fn insert(
    tx: &mut dyn Tx,
    event: &UsageEvent,
    sheet: &PriceSheet,
    unit: Money,
    cost: Money,
) -> Result<bool, LedgerError> {
    let inserted = tx.execute(
        "INSERT INTO ledger_events
             (id, at, namespace, subject, resource, amount_micro, price_micro, cost_micro, currency)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING",
        &[
            (&event.id).into(),
            event.at.micros().into(),
            (&event.namespace).into(),
            (&event.subject).into(),
            (&event.resource).into(),
            event.amount_micro.into(),
            unit.0.into(),
            cost.0.into(),
            (&sheet.currency).into(),
        ],
    )?;
    Ok(inserted == 1)
}
