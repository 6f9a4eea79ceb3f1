//! Migrations on SQLite: all that are missing in one transaction.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;

use super::tx::{SqliteTx, run};
use crate::migrate::{APPLIED, NOTE, TABLE, missing, refuse_duplicates};
use crate::{DbError, Migration, Tx};

pub(super) fn migrate(conn: &Connection, path: &Path, migrations: &[Migration]) -> Result<(), DbError> {
    refuse_duplicates(migrations)?;
    run(conn, "BEGIN IMMEDIATE")?;
    let outcome = apply_missing(conn, path, migrations).and_then(|()| run(conn, "COMMIT"));
    if outcome.is_err() && !conn.is_autocommit() {
        run(conn, "ROLLBACK")?;
    }
    outcome
}

fn apply_missing(conn: &Connection, path: &Path, migrations: &[Migration]) -> Result<(), DbError> {
    run(conn, TABLE)?;
    let applied = applied(conn)?;
    missing(&path.display().to_string(), &applied, migrations)?.into_iter().try_for_each(|step| apply(conn, step))
}

/// The names of the steps that were applied; the table must be there.
pub(super) fn applied(conn: &Connection) -> Result<BTreeSet<String>, DbError> {
    SqliteTx(conn).query(APPLIED, &[])?.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

fn apply(conn: &Connection, step: &Migration) -> Result<(), DbError> {
    let failed = |source| DbError::Migration { name: step.name, source };
    conn.execute_batch(step.sql).map_err(|error| failed(error.into()))?;
    SqliteTx(conn).execute(NOTE, &[step.name.into()])?;
    Ok(())
}
