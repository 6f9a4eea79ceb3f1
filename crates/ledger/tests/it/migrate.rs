//! A home of before double entry keeps every figure.

use bedplate_db::{Db, Tx};
use bedplate_ledger::{
    Dimension, LedgerError, MIGRATIONS, Query, Recorded, UsageEvent, entry, find, record, statement, verify,
};
use bedplate_types::{Money, Timestamp};

use crate::at;

const ROWS: [(&str, &str, &str, &str, i64, i64, i64); 4] = [
    ("run:flights/train:train-1", "2026-11-23T23:59:59.999999Z", "flights", "cpu_seconds", 3_500_000, 14, 49),
    ("prediction:p/0", "2026-11-24T00:00:00Z", "flights", "predictions", 1_000_000, 1, 1),
    ("prediction:p/1", "2026-11-24T00:00:01Z", "flights", "predictions", 1_000_000, 1, 1),
    ("ingest:other/t@0", "1969-12-31T23:00:00Z", "other", "ingested_gigabytes", -2_000_000, 20_000, -40_000),
];

fn old(tx: &mut dyn Tx) -> Result<(), LedgerError> {
    for (id, time, namespace, resource, amount, price, cost) in ROWS {
        tx.execute(
            "INSERT INTO ledger_events (id, at, namespace, subject, resource, amount_micro, price_micro, cost_micro, currency)
             VALUES ($1, $2, $3, 'subject', $4, $5, $6, $7, 'EUR')",
            &[
                id.into(),
                at(time).micros().into(),
                namespace.into(),
                resource.into(),
                amount.into(),
                price.into(),
                cost.into(),
            ],
        )?;
    }
    Ok(())
}

/// Opens a database as it was, fills it, and opens it again as it is now.
pub fn migrated(open: impl Fn(&[bedplate_db::Migration]) -> Db) {
    let before = open(&MIGRATIONS[..1]);
    before.write(old).unwrap();
    drop(before);
    let db = open(MIGRATIONS);
    let counted = db.read(verify).unwrap();
    assert_eq!((counted.events, counted.entries, counted.postings, counted.unpriced), (4, 4, 8, 0));
    let query = Query { by: vec![Dimension::Day, Dimension::Resource, Dimension::Team], ..Query::default() };
    let told = db.read(|tx| statement(tx, &query)).unwrap();
    let lines: Vec<_> =
        told.lines.iter().map(|line| (line.key.join(" "), line.amount_micro, line.cost.0, line.events)).collect();
    assert_eq!(
        lines,
        [
            ("1969-12-31 ingested_gigabytes other".to_owned(), Some(-2_000_000), -40_000, 1),
            ("2026-11-23 cpu_seconds flights".to_owned(), Some(3_500_000), 49, 1),
            ("2026-11-24 predictions flights".to_owned(), Some(2_000_000), 2, 2),
        ]
    );
    let posted = db.read(|tx| entry(tx, "usage:prediction:p/0")).unwrap().unwrap();
    assert_eq!((posted.sheet.as_str(), posted.price, posted.currency.as_str()), ("prices.json", Money(1), "EUR"));
    let known: UsageEvent = db.read(|tx| find(tx, "prediction:p/1")).unwrap().unwrap();
    let again = UsageEvent { at: Timestamp::from_micros(7), ..known };
    assert_eq!(db.write(move |tx| record(tx, &again)).unwrap(), Recorded::Before, "ids are remembered");
}

#[test]
fn every_row_of_the_single_entry_ledger_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    migrated(|migrations| Db::open(&folder.path().join("it.db"), migrations).unwrap());
}
