//! The schema: named steps, each applied once, in the order they are given.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;

use crate::sqlite::{SqliteTx, run};
use crate::{DbError, Tx};

/// One step of the schema. Its name is remembered for ever; its SQL may hold several statements.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// For example `audit_0001_leaves`.
    pub name: &'static str,
    pub sql: &'static str,
}

/// Applies what is missing, all or nothing, and refuses a database that has more than `migrations`.
pub(crate) fn migrate(conn: &Connection, path: &Path, migrations: &[Migration]) -> Result<(), DbError> {
    refuse_duplicates(migrations)?;
    run(conn, "BEGIN IMMEDIATE")?;
    let outcome = apply_missing(conn, path, migrations).and_then(|()| run(conn, "COMMIT"));
    if outcome.is_err() && !conn.is_autocommit() {
        run(conn, "ROLLBACK")?;
    }
    outcome
}

fn refuse_duplicates(migrations: &[Migration]) -> Result<(), DbError> {
    let mut names = BTreeSet::new();
    match migrations.iter().find(|migration| !names.insert(migration.name)) {
        Some(twice) => Err(DbError::DuplicateMigration(twice.name)),
        None => Ok(()),
    }
}

fn apply_missing(conn: &Connection, path: &Path, migrations: &[Migration]) -> Result<(), DbError> {
    let applied = applied(conn)?;
    if let Some(migration) = applied.iter().find(|name| migrations.iter().all(|known| known.name != **name)) {
        return Err(DbError::Newer { path: path.to_owned(), migration: migration.clone() });
    }
    migrations.iter().filter(|migration| !applied.contains(migration.name)).try_for_each(|step| apply(conn, step))
}

fn applied(conn: &Connection) -> Result<BTreeSet<String>, DbError> {
    run(conn, "CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY)")?;
    let rows = SqliteTx(conn).query("SELECT name FROM schema_migrations", &[])?;
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

fn apply(conn: &Connection, step: &Migration) -> Result<(), DbError> {
    let failed = |source| DbError::Migration { name: step.name, source };
    conn.execute_batch(step.sql).map_err(|error| failed(error.into()))?;
    SqliteTx(conn).execute("INSERT INTO schema_migrations (name) VALUES ($1)", &[step.name.into()])?;
    Ok(())
}
