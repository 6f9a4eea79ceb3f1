//! The ledger on a real database, and on PostgreSQL where there is one.

mod add_up;
mod migrate;
mod postgres;
mod pricing;

use std::collections::BTreeMap;

use bedplate_db::Db;
use bedplate_ledger::{LedgerError, MIGRATIONS, PriceSheet, Recorded, UsageEvent, put_sheet, record};
use bedplate_types::{Money, Timestamp};

pub struct Ledger {
    pub db: Db,
    _folder: tempfile::TempDir,
}

/// A new database of the engine the tests of this process run on.
fn database(folder: &tempfile::TempDir) -> Db {
    match bedplate_testkit::postgres_database() {
        Some(url) => Db::connect(&url, MIGRATIONS).unwrap(),
        None => Db::open(&folder.path().join("it.db"), MIGRATIONS).unwrap(),
    }
}

/// An empty ledger without a sheet.
pub fn open() -> Ledger {
    let folder = tempfile::tempdir().unwrap();
    let db = database(&folder);
    Ledger { db, _folder: folder }
}

/// A ledger with [`sheet`], for ever.
pub fn priced() -> Ledger {
    let ledger = open();
    ledger.declare(sheet("standard", "EUR")).unwrap();
    ledger
}

impl Ledger {
    pub fn declare(&self, sheet: PriceSheet) -> Result<(), LedgerError> {
        self.db.write(move |tx| put_sheet(tx, &sheet))
    }

    pub fn put(&self, event: UsageEvent) -> Result<Recorded, LedgerError> {
        self.db.write(move |tx| record(tx, &event))
    }
}

pub const RESOURCES: [&str; 3] = ["cpu_seconds", "predictions", "stored_gigabytes"];

pub fn sheet(name: &str, currency: &str) -> PriceSheet {
    let prices: BTreeMap<String, Money> =
        RESOURCES.iter().zip([13, 1, 7_000_001]).map(|(name, micros)| ((*name).to_owned(), Money(micros))).collect();
    PriceSheet { name: name.into(), generation: 1, currency: currency.into(), prices, valid_from: None, valid_to: None }
}

pub fn event(id: &str, namespace: &str, resource: &str, amount_micro: i64) -> UsageEvent {
    UsageEvent {
        id: id.into(),
        at: at("2026-11-24T10:00:00Z"),
        namespace: namespace.into(),
        team: String::new(),
        subject: format!("run:{}", amount_micro.rem_euclid(3)),
        resource: resource.into(),
        amount_micro,
    }
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn everything_once_more_on_postgres() {
    bedplate_testkit::suite_on_postgres(&["everything_once_more_on_postgres"]);
}
