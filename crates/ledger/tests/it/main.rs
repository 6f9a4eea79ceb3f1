//! The ledger on a real database.

use std::collections::BTreeMap;

use bedplate_db::Db;
use bedplate_ledger::{Column, LedgerError, MIGRATIONS, PriceSheet, UsageEvent, by, record, statement, total};
use bedplate_types::{Explained, Money, Timestamp};
use proptest::prelude::*;

/// A new database of the engine the tests of this process run on.
fn database(folder: &tempfile::TempDir) -> Db {
    match bedplate_testkit::postgres_database() {
        Some(url) => Db::connect(&url, MIGRATIONS).unwrap(),
        None => Db::open(&folder.path().join("it.db"), MIGRATIONS).unwrap(),
    }
}

fn open() -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().unwrap();
    let db = database(&folder);
    (folder, db)
}

fn sheet(currency: &str) -> PriceSheet {
    let prices = [("cpu_seconds", 13), ("predictions", 1), ("storage_bytes", 7_000_001)];
    let prices = prices.into_iter().map(|(name, micros)| (name.to_owned(), Money(micros))).collect();
    PriceSheet { currency: currency.to_owned(), prices }
}

fn event(id: &str, namespace: &str, resource: &str, amount_micro: i64) -> UsageEvent {
    UsageEvent {
        id: id.into(),
        at: Timestamp::from_micros(1),
        namespace: namespace.into(),
        subject: format!("run:{}", amount_micro % 3),
        resource: resource.into(),
        amount_micro,
    }
}

fn put(db: &Db, event: UsageEvent, sheet: PriceSheet) -> Result<bool, LedgerError> {
    db.write(move |tx| record(tx, &event, &sheet))
}

#[test]
fn recording_twice_counts_once_at_the_first_price() {
    let (_folder, db) = open();
    let used = event("e1", "flights", "cpu_seconds", 10_000_000);
    assert!(put(&db, used.clone(), sheet("EUR")).unwrap());
    let mut dearer = sheet("EUR");
    dearer.prices.insert("cpu_seconds".into(), Money(1_000));
    assert!(!put(&db, used, dearer).unwrap());
    assert_eq!(db.read(|tx| total(tx, None)).unwrap(), Money(130));
    let lines = db.read(|tx| statement(tx, Some("flights"))).unwrap();
    assert_eq!((lines[0].amount_micro, lines[0].cost, lines[0].currency.as_str()), (10_000_000, Money(130), "EUR"));
    assert!(db.read(|tx| statement(tx, Some("other"))).unwrap().is_empty());
}

#[test]
fn an_unknown_resource_is_named_with_the_fix() {
    let (_folder, db) = open();
    let error = put(&db, event("e1", "flights", "gpu_seconds", 1), sheet("EUR")).unwrap_err();
    assert!(error.to_string().contains("gpu_seconds") && error.to_string().contains("cpu_seconds, predictions"));
    assert_eq!(error.fix().unwrap(), "add a price for gpu_seconds to the price sheet");
    assert_eq!(db.read(|tx| total(tx, None)).unwrap(), Money(0));
}

#[test]
fn two_currencies_are_never_added_up() {
    let (_folder, db) = open();
    put(&db, event("e1", "flights", "predictions", 1), sheet("EUR")).unwrap();
    let error = put(&db, event("e2", "flights", "predictions", 1), sheet("USD")).unwrap_err();
    assert!(matches!(error, LedgerError::Currency { .. }), "{error}");
    assert!(put(&db, event("e3", "flights", "storage_bytes", i64::MAX), sheet("EUR")).is_err(), "overflow");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_way_of_adding_up_agrees(
        used in prop::collection::vec((0..60u8, 0..3usize, 0..3usize, -5_000_000..5_000_000_000i64), 1..80),
    ) {
        let (_folder, db) = open();
        let resources: Vec<String> = sheet("EUR").prices.into_keys().collect();
        let events: Vec<UsageEvent> = used
            .iter()
            .map(|(id, ns, resource, amount)| event(&id.to_string(), ["a", "b", "c"][*ns], &resources[*resource], *amount))
            .collect();
        let first: BTreeMap<&str, &UsageEvent> = events.iter().rev().map(|event| (event.id.as_str(), event)).collect();
        let expect: i64 = first.values().map(|event| oracle(event)).sum();
        let queued = events.clone();
        let recorded = db
            .write(move |tx| queued.iter().map(|event| record(tx, event, &sheet("EUR"))).collect::<Result<Vec<_>, _>>())
            .unwrap();
        prop_assert_eq!(recorded.into_iter().filter(|new| *new).count(), first.len());
        db.read(|tx| {
            let all = total(tx, None)?;
            assert_eq!(all, Money(expect));
            for column in [Column::Namespace, Column::Resource, Column::Subject] {
                assert_eq!(by(tx, column)?.into_iter().map(|(_, cost)| cost).sum::<Money>(), all);
            }
            for (namespace, cost) in by(tx, Column::Namespace)? {
                assert_eq!(total(tx, Some(&namespace))?, cost);
                assert_eq!(statement(tx, Some(&namespace))?.iter().map(|line| line.cost).sum::<Money>(), cost);
            }
            Ok::<_, LedgerError>(())
        }).unwrap();
    }
}

/// The cost by truncating division, another way than the one under test.
fn oracle(event: &UsageEvent) -> i64 {
    let exact = i128::from(event.amount_micro) * i128::from(sheet("EUR").prices[&event.resource].0);
    let (near, rest) = (exact / 1_000_000, (exact % 1_000_000).abs());
    let away = rest > 500_000 || (rest == 500_000 && near % 2 != 0);
    i64::try_from(if away { near + exact.signum() } else { near }).unwrap()
}

#[test]
fn everything_once_more_on_postgres() {
    bedplate_testkit::suite_on_postgres(&["everything_once_more_on_postgres"]);
}
