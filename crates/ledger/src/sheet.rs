//! The price sheets as they stand: for every moment one at most.

use bedplate_db::{Row, Tx};
use bedplate_types::{Money, Timestamp};

use crate::{LedgerError, PriceSheet};

/// A sheet without an end on one side is stored with the farthest instants there are.
const OPEN_FROM: i64 = i64::MIN;
const OPEN_TO: i64 = i64::MAX;

/// What one unit costs at a moment, and where that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Price {
    pub sheet: String,
    pub generation: i64,
    pub currency: String,
    pub unit: Money,
}

/// Puts the sheet in place of an earlier edition. What was priced stays as it was.
///
/// # Errors
/// [`LedgerError::Overlap`] with the other sheet's name when both count at some moment, [`LedgerError::Span`] when it counts at
/// none, [`LedgerError::Db`].
pub fn put_sheet(tx: &mut dyn Tx, sheet: &PriceSheet) -> Result<(), LedgerError> {
    let from = sheet.valid_from.map_or(OPEN_FROM, Timestamp::micros);
    let to = sheet.valid_to.map_or(OPEN_TO, Timestamp::micros);
    if from >= to {
        return Err(LedgerError::Span { sheet: sheet.name.clone() });
    }
    refuse_overlap(tx, sheet, from, to)?;
    remove_sheet(tx, &sheet.name)?;
    tx.execute(
        "INSERT INTO ledger_sheets (name, generation, currency, valid_from, valid_to) VALUES ($1, $2, $3, $4, $5)",
        &[(&sheet.name).into(), sheet.generation.into(), (&sheet.currency).into(), from.into(), to.into()],
    )?;
    for (resource, unit) in &sheet.prices {
        tx.execute(
            "INSERT INTO ledger_prices (sheet, resource, price_micro) VALUES ($1, $2, $3)",
            &[(&sheet.name).into(), resource.into(), unit.0.into()],
        )?;
    }
    Ok(())
}

fn refuse_overlap(tx: &mut dyn Tx, sheet: &PriceSheet, from: i64, to: i64) -> Result<(), LedgerError> {
    let rows = tx.query(
        "SELECT name, valid_from, valid_to FROM ledger_sheets
         WHERE name <> $1 AND valid_from < $3 AND $2 < valid_to ORDER BY valid_from LIMIT 1",
        &[(&sheet.name).into(), from.into(), to.into()],
    )?;
    let Some(row) = rows.first() else { return Ok(()) };
    Err(LedgerError::Overlap {
        sheet: sheet.name.clone(),
        other: row.text(0)?.to_owned(),
        span: span(row.int(1)?, row.int(2)?),
    })
}

fn span(from: i64, to: i64) -> String {
    let since = limit(from, OPEN_FROM).map_or("since ever".to_owned(), |from| format!("from {from}"));
    let until = limit(to, OPEN_TO).map_or("for ever".to_owned(), |to| format!("until {to}"));
    format!("{since} {until}")
}

fn limit(at: i64, open: i64) -> Option<Timestamp> {
    (at != open).then(|| Timestamp::from_micros(at))
}

/// Takes the sheet away; what it priced stays.
///
/// # Errors
/// [`LedgerError::Db`].
pub fn remove_sheet(tx: &mut dyn Tx, name: &str) -> Result<(), LedgerError> {
    tx.execute("DELETE FROM ledger_prices WHERE sheet = $1", &[name.into()])?;
    tx.execute("DELETE FROM ledger_sheets WHERE name = $1", &[name.into()])?;
    Ok(())
}

/// The sheet that counts at a moment.
///
/// # Errors
/// [`LedgerError::Db`].
pub fn sheet_at(tx: &mut dyn Tx, at: Timestamp) -> Result<Option<PriceSheet>, LedgerError> {
    let sql = "SELECT name, generation, currency, valid_from, valid_to FROM ledger_sheets
               WHERE valid_from <= $1 AND $1 < valid_to LIMIT 1";
    let rows = tx.query(sql, &[at.micros().into()])?;
    rows.first().map(|row| read(tx, row)).transpose()
}

/// Every sheet, the earliest first.
///
/// # Errors
/// [`LedgerError::Db`].
pub fn sheets(tx: &mut dyn Tx) -> Result<Vec<PriceSheet>, LedgerError> {
    let sql =
        "SELECT name, generation, currency, valid_from, valid_to FROM ledger_sheets ORDER BY valid_from LIMIT 10000";
    let rows = tx.query(sql, &[])?;
    rows.iter().map(|row| read(tx, row)).collect()
}

fn read(tx: &mut dyn Tx, row: &Row) -> Result<PriceSheet, LedgerError> {
    let name = row.text(0)?.to_owned();
    let prices = tx.query("SELECT resource, price_micro FROM ledger_prices WHERE sheet = $1", &[(&name).into()])?;
    let price = |row: &Row| Ok::<_, LedgerError>((row.text(0)?.to_owned(), Money(row.int(1)?)));
    Ok(PriceSheet {
        name,
        generation: row.int(1)?,
        currency: row.text(2)?.to_owned(),
        prices: prices.iter().map(price).collect::<Result<_, _>>()?,
        valid_from: limit(row.int(3)?, OPEN_FROM),
        valid_to: limit(row.int(4)?, OPEN_TO),
    })
}

pub(crate) fn price_at(tx: &mut dyn Tx, at: Timestamp, resource: &str) -> Result<Option<Price>, LedgerError> {
    let rows = tx.query(
        "SELECT s.name, s.generation, s.currency, p.price_micro FROM ledger_sheets s
         JOIN ledger_prices p ON p.sheet = s.name AND p.resource = $2
         WHERE s.valid_from <= $1 AND $1 < s.valid_to LIMIT 1",
        &[at.micros().into(), resource.into()],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Price {
        sheet: row.text(0)?.to_owned(),
        generation: row.int(1)?,
        currency: row.text(2)?.to_owned(),
        unit: Money(row.int(3)?),
    }))
}
