//! What everything cost: usage events, priced once, in whole millionths of one currency.
//!
//! Start with [`record`]: an event is priced by the [`PriceSheet`] of the moment it is recorded, and never again, so a new
//! price changes the future only. Its id makes it idempotent. [`total`], [`by`] and [`statement`] add up the recorded
//! costs, so they agree to the last millionth.
//!
//! The ledger does not know what a resource is, nor who measures it; it takes names and amounts.

mod error;
mod event;
mod price;
mod report;
mod spent;

use bedplate_db::Migration;

pub use error::LedgerError;
pub use event::{UsageEvent, record};
pub use price::PriceSheet;
pub use report::{Column, Line, by, statement, total};
pub use spent::spent;

/// The ledger's tables.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "ledger_0001_events",
    sql: "CREATE TABLE ledger_events (
              id TEXT PRIMARY KEY,
              at BIGINT NOT NULL,
              namespace TEXT NOT NULL,
              subject TEXT NOT NULL,
              resource TEXT NOT NULL,
              amount_micro BIGINT NOT NULL,
              price_micro BIGINT NOT NULL,
              cost_micro BIGINT NOT NULL,
              currency TEXT NOT NULL
          );
          CREATE INDEX ledger_events_by_namespace ON ledger_events (namespace, resource);",
}];
