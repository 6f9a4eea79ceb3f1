//! The same SQL on PostgreSQL.

use bedplate_db::Db;
use bedplate_ledger::{
    Dimension, LedgerError, MIGRATIONS, Query, Recorded, price_backlog, put_sheet, record, reverse, statement, verify,
};
use bedplate_testkit::Postgres;
use bedplate_types::Money;

use crate::{at, event, migrate, sheet};

const WHAT: &str = "the ledger on PostgreSQL";

#[test]
fn a_ledger_is_kept_counted_and_reversed() {
    let Some(server) = Postgres::shared(WHAT) else { return };
    let db = Db::connect(&server.database(), MIGRATIONS).unwrap();
    db.write(|tx| record(tx, &event("early", "flights", "cpu_seconds", 1_000_000))).unwrap();
    db.write(|tx| put_sheet(tx, &sheet("standard", "EUR"))).unwrap();
    assert!(matches!(db.write(|tx| put_sheet(tx, &sheet("other", "EUR"))), Err(LedgerError::Overlap { .. })));
    assert_eq!(db.write(|tx| price_backlog(tx, 5)).unwrap(), 1);
    for n in 0..20 {
        let used = event(&format!("e{n}"), ["a", "b"][n % 2], "cpu_seconds", 1_000_000 * n as i64);
        assert_eq!(db.write(move |tx| record(tx, &used)).unwrap(), Recorded::Priced);
    }
    assert!(db.write(|tx| record(tx, &event("e1", "a", "cpu_seconds", 9))).is_err());
    assert!(db.write(|tx| reverse(tx, "e7", "wrong", at("2026-12-01T00:00:00Z"))).unwrap());
    let mut totals = Vec::new();
    for by in Dimension::ALL {
        totals.push(db.read(|tx| statement(tx, &Query { by: vec![by], ..Query::default() })).unwrap().totals["EUR"]);
    }
    assert!(totals.iter().all(|total| *total == Money(13 * (190 + 1 - 7))), "{totals:?}");
    assert_eq!(db.read(verify).unwrap().postings, 2 * 22);
}

#[test]
fn an_old_ledger_is_taken_over() {
    let Some(server) = Postgres::shared(WHAT) else { return };
    let url = server.database();
    migrate::migrated(|migrations| Db::connect(&url, migrations).unwrap());
}
