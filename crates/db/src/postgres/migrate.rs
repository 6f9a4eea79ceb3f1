//! Migrations on PostgreSQL: all that are missing in one transaction, one replica at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::connection::Connection;
use super::error::{Failure, running};
use super::server::Server;
use super::tx::PostgresTx;
use crate::migrate::{APPLIED, NOTE, TABLE, missing, refuse_duplicates};
use crate::{DbError, Migration, Tx};

/// Given back by the end of the transaction. A snapshot a statement: what others migrated while we stood in line is seen.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(7090195588410336358)";

/// The one word of our schemas that PostgreSQL lacks.
const BLOB: &str = "CREATE DOMAIN blob AS bytea";

/// Names and keys are compared byte by byte, as SQLite and Rust do; glibc and ICU would leave hyphens out, for one.
const ORDER: &str = "SELECT 'B' < 'a' AND 'a-c' < 'ab', current_setting('server_encoding')";

pub(super) fn migrate(server: &Arc<Server>, migrations: &[Migration]) -> Result<(), DbError> {
    refuse_duplicates(migrations)?;
    let mut connection = server.connect()?;
    run(&connection, BEGIN)?;
    refuse_unsuitable(&mut connection)?;
    prepare(&mut connection)?;
    let applied = applied(&mut connection)?;
    for step in missing(server.name(), &applied, migrations)? {
        apply(&mut connection, step)?;
    }
    // Whatever failed before closes the connection, which takes everything back.
    run(&connection, "SELECT 1; COMMIT")
}

fn run(connection: &Connection, sql: &str) -> Result<(), DbError> {
    connection.run(sql).map_err(|failure| running(connection.server(), sql, &failure))
}

fn refuse_unsuitable(connection: &mut Connection) -> Result<(), DbError> {
    let server = connection.server().name().to_owned();
    let rows = PostgresTx::new(connection, "").query(ORDER, &[])?;
    let Some(row) = rows.first() else { return Ok(()) };
    if row.text(1)? != "UTF8" {
        return Err(DbError::Unsuitable { server, why: "its encoding is not UTF8" });
    }
    if row.int(0)? == 0 {
        return Err(DbError::Unsuitable { server, why: "it orders text by a language, and not by its bytes" });
    }
    Ok(())
}

fn prepare(connection: &mut Connection) -> Result<(), DbError> {
    let rows = PostgresTx::new(connection, "").query("SELECT to_regtype('blob') IS NULL", &[])?;
    if rows.first().map(|row| row.int(0)).transpose()? == Some(1) {
        run(connection, BLOB)?;
    }
    run(connection, TABLE)
}

fn applied(connection: &mut Connection) -> Result<BTreeSet<String>, DbError> {
    let rows = PostgresTx::new(connection, "").query(APPLIED, &[])?;
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

fn apply(connection: &mut Connection, step: &Migration) -> Result<(), DbError> {
    let failed = |failure: Failure| DbError::Migration { name: step.name, source: failure.words().into() };
    connection.run(step.sql).map_err(failed)?;
    PostgresTx::new(connection, "").execute(NOTE, &[step.name.into()])?;
    Ok(())
}
