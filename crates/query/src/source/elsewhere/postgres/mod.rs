//! A table or a query of a PostgreSQL database.
//!
//! [`read`] carries one statement out in a transaction that only reads and sees one moment, and keeps the rows as Arrow in a
//! file. What the rows are known by, whatever order they come in, is told by [`fingerprint`]; which of them a watermark has
//! had already, by [`edge`].

mod address;
mod edge;
mod error;
mod fingerprint;
mod plan;
mod read;
mod row;
mod tls;

pub(crate) use read::{Read, read};
