//! PostgreSQL: one connection that writes, groups as SQLite's writer does, and a bounded pool of those that read.
//!
//! The server and the calling threads never share a runtime: one thread of our own carries the sockets, callers wait for
//! its answer on a channel. So every call may come from anywhere, also from inside an async runtime.

mod address;
mod connection;
mod error;
mod group;
mod listen;
mod migrate;
mod numeric;
mod readers;
mod server;
mod tx;
mod value;

use std::sync::Arc;

pub(crate) use readers::Readers;

use crate::writer::Writer;
use crate::{DbError, Migration};
use server::Server;

/// Connects, brings the schema up to date and starts the writer.
pub(crate) fn connect(url: &str, migrations: &[Migration]) -> Result<(Readers, Writer), DbError> {
    let server = Arc::new(Server::new(url)?);
    migrate::migrate(&server, migrations)?;
    let writer = Writer::start(group::Replica::new(Arc::clone(&server), &server.instance()?))
        .map_err(|error| server.unreachable(format!("no thread for its writer: {error}")))?;
    Ok((Readers::new(server), writer))
}
