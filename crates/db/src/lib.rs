//! The store under everything: a small, synchronous, object-safe port ([`Tx`]) and SQLite behind it.
//!
//! Start with [`Db`]: `db.write(|tx| …)` runs a closure in a transaction and returns only when its changes would survive
//! `kill -9` and power loss; `db.read(|tx| …)` sees one consistent snapshot and never waits for writers.
//! Writes of many callers share one commit (and one fsync): see `writer.rs`.
//!
//! SQL is written once, with `$1…` placeholders, in the subset SQLite and PostgreSQL both take: upsert, `RETURNING`, CTE;
//! ids `TEXT`, times `BIGINT` in microseconds, JSON as `TEXT`, truth as 0 or 1. Closures may be run again, so they own
//! what they need and have no effect outside the transaction.
//!
//! This crate does not know what the tables mean: every crate that stores something exports its own [`Migration`]s.
//! It takes no lock against a second process: the binary holds that one for its whole home folder.

mod db;
mod error;
mod job;
mod migrate;
mod readers;
mod row;
mod sqlite;
mod tx;
mod value;
mod writer;

pub use db::Db;
pub use error::DbError;
pub use migrate::Migration;
pub use row::Row;
pub use tx::Tx;
pub use value::Value;
