//! What a namespace spent in a span of time.

use bedplate_db::Tx;
use bedplate_types::{Money, Timestamp};

use crate::LedgerError;

/// The cost of what `namespace` used from `from` (inclusive) to `to` (exclusive).
///
/// # Errors
/// [`LedgerError::Db`], also when the sum is beyond 64 bits.
pub fn spent(tx: &mut dyn Tx, namespace: &str, from: Timestamp, to: Timestamp) -> Result<Money, LedgerError> {
    let sql = "SELECT CAST(COALESCE(SUM(cost_micro), 0) AS BIGINT) FROM ledger_events
               WHERE namespace = $1 AND at >= $2 AND at < $3";
    let rows = tx.query(sql, &[namespace.into(), from.micros().into(), to.micros().into()])?;
    rows.first().map_or(Ok(Money::default()), |row| Ok(Money(row.int(0)?)))
}
