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
