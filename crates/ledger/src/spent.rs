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

#[cfg(test)]
mod tests {
    use bedplate_db::Db;

    use super::*;
    use crate::{MIGRATIONS, PriceSheet, UsageEvent, record};

    #[test]
    fn only_the_namespace_and_the_span_count() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("ledger.db"), MIGRATIONS).unwrap();
        let sheet = PriceSheet { currency: "EUR".into(), prices: [("x".to_owned(), Money(7))].into() };
        let event = |id: &str, namespace: &str, at| UsageEvent {
            id: id.into(),
            at: Timestamp::from_micros(at),
            namespace: namespace.into(),
            subject: "s".into(),
            resource: "x".into(),
            amount_micro: 1_000_000,
        };
        let events =
            [event("a", "n", 9), event("b", "n", 10), event("c", "n", 19), event("d", "n", 20), event("e", "m", 15)];
        db.write(move |tx| events.iter().try_for_each(|event| record(tx, event, &sheet).map(drop))).unwrap();
        let spent = db.read(|tx| spent(tx, "n", Timestamp::from_micros(10), Timestamp::from_micros(20))).unwrap();
        assert_eq!(spent, Money(14));
    }
}
