//! What a namespace spent in a span of time, as one figure.

use bedplate_db::Tx;
use bedplate_types::{Money, Timestamp};

use crate::{LedgerError, Query, sheet_at, statement};

/// What `namespace` spent from the day of `from` on, to before the day that begins at `to` (UTC; a `to` within a day takes
/// that day in), in the currency of the prices that count at `from`, or else of the first there is. What was spent in another
/// currency is not in it.
///
/// # Errors
/// As [`statement`].
pub fn spent(tx: &mut dyn Tx, namespace: &str, from: Timestamp, to: Timestamp) -> Result<Money, LedgerError> {
    let currency = sheet_at(tx, from)?.map(|sheet| sheet.currency);
    let query = Query { namespace: Some(namespace.to_owned()), from: Some(from), to: Some(to), by: Vec::new() };
    let totals = statement(tx, &query)?.totals;
    let total = match currency {
        Some(currency) => totals.get(&currency),
        None => totals.values().next(),
    };
    Ok(total.copied().unwrap_or_default())
}
