//! The store under everything: a small, synchronous, object-safe port ([`Tx`]), and SQLite or PostgreSQL behind it.
//!
//! Start with [`Db`]: `db.write(|tx| …)` runs a closure in a transaction and returns only when its changes would survive
//! `kill -9` and power loss; `db.read(|tx| …)` sees one consistent snapshot and never waits for writers.
//! Writes of many callers share one commit (and one fsync): see `writer.rs`.
//!
//! SQL is written once, with `$1…` placeholders, in the subset SQLite and PostgreSQL both take: upsert, `RETURNING`, CTE;
//! ids `TEXT`, times `BIGINT` in microseconds, numbers `DOUBLE PRECISION`, bytes `BLOB` (a domain over `BYTEA` on
//! PostgreSQL), JSON as `TEXT`, truth as 0 or 1. Text is ordered by its bytes on both. Closures may be run again, so they
//! own what they need and have no effect outside the transaction. A statement that fails undoes itself alone. PostgreSQL
//! keeps no NUL in text, no sum beyond 64 bits and no key of more than 2.7 kB in an index: [`DbError::Unstorable`].
//!
//! This crate does not know what the tables mean: every crate that stores something exports its own [`Migration`]s.
//! A SQLite file is for one process, and no lock here sees to it: the binary holds one for its whole home folder. A
//! PostgreSQL database may be shared by several: [`Db::commits_elsewhere`] tells what the others do, and [`Db::fenced`] is for
//! those of whom only one may write. What each engine must do alike is in `tests/it/`, run on both.

mod commits;
mod db;
mod error;
mod job;
mod migrate;
mod postgres;
mod row;
mod sqlite;
mod statement;
mod tx;
mod value;
mod writer;

pub use commits::Commits;
pub use db::Db;
pub use error::DbError;
pub use migrate::Migration;
pub use row::Row;
pub use tx::Tx;
pub use value::Value;
