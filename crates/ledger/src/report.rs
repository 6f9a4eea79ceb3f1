//! Sums over what was recorded.

use bedplate_db::{Row, Tx, Value};
use bedplate_types::Money;
use serde::Serialize;

use crate::LedgerError;

/// What costs can be told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Namespace,
    Resource,
    Subject,
}

impl Column {
    const fn sql(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Resource => "resource",
            Self::Subject => "subject",
        }
    }
}

/// How much of one resource was used, and what that cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    pub resource: String,
    /// Millionths of the resource's unit.
    pub amount_micro: i64,
    pub cost: Money,
    pub currency: String,
}

/// The cost of everything, or of one namespace.
///
/// # Errors
/// [`LedgerError::Db`], also when the sum is beyond 64 bits.
pub fn total(tx: &mut dyn Tx, namespace: Option<&str>) -> Result<Money, LedgerError> {
    const ALL: &str = "SELECT CAST(COALESCE(SUM(cost_micro), 0) AS BIGINT) FROM ledger_events";
    let rows = match namespace {
        None => tx.query(ALL, &[])?,
        Some(name) => tx.query(&format!("{ALL} WHERE namespace = $1"), &[name.into()])?,
    };
    rows.first().map_or(Ok(Money::default()), |row| Ok(Money(row.int(0)?)))
}

/// The cost of each value of `column`, the dearest first.
///
/// # Errors
/// As [`total`].
pub fn by(tx: &mut dyn Tx, column: Column) -> Result<Vec<(String, Money)>, LedgerError> {
    let name = column.sql();
    let sql = format!(
        "SELECT {name}, CAST(SUM(cost_micro) AS BIGINT) AS cost FROM ledger_events GROUP BY {name} ORDER BY cost DESC, {name}"
    );
    tx.query(&sql, &[])?.iter().map(|row| Ok((row.text(0)?.to_owned(), Money(row.int(1)?)))).collect()
}

/// What was used of each resource, everywhere or in one namespace, by name of the resource.
///
/// # Errors
/// As [`total`].
pub fn statement(tx: &mut dyn Tx, namespace: Option<&str>) -> Result<Vec<Line>, LedgerError> {
    let filter = if namespace.is_some() { "WHERE namespace = $1" } else { "" };
    let args: Vec<Value> = namespace.into_iter().map(Value::from).collect();
    let sql = format!(
        "SELECT resource, CAST(SUM(amount_micro) AS BIGINT), CAST(SUM(cost_micro) AS BIGINT), MAX(currency)
         FROM ledger_events {filter} GROUP BY resource ORDER BY resource"
    );
    tx.query(&sql, &args)?.iter().map(line).collect()
}

fn line(row: &Row) -> Result<Line, LedgerError> {
    Ok(Line {
        resource: row.text(0)?.to_owned(),
        amount_micro: row.int(1)?,
        cost: Money(row.int(2)?),
        currency: row.text(3)?.to_owned(),
    })
}
