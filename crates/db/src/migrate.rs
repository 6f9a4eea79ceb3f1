//! The schema: named steps, each applied once, in the order they are given.

use std::collections::BTreeSet;

use crate::DbError;

/// One step of the schema. Its name is remembered for ever; its SQL may hold several statements.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// For example `audit_0001_leaves`.
    pub name: &'static str,
    pub sql: &'static str,
}

pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY)";
pub(crate) const APPLIED: &str = "SELECT name FROM schema_migrations";
pub(crate) const NOTE: &str = "INSERT INTO schema_migrations (name) VALUES ($1)";

pub(crate) fn refuse_duplicates(migrations: &[Migration]) -> Result<(), DbError> {
    let mut names = BTreeSet::new();
    match migrations.iter().find(|migration| !names.insert(migration.name)) {
        Some(twice) => Err(DbError::DuplicateMigration(twice.name)),
        None => Ok(()),
    }
}

/// What is still to be applied; refuses a database that has more than `migrations`.
pub(crate) fn missing<'a>(
    database: &str,
    applied: &BTreeSet<String>,
    migrations: &'a [Migration],
) -> Result<Vec<&'a Migration>, DbError> {
    if let Some(migration) = applied.iter().find(|name| migrations.iter().all(|known| known.name != **name)) {
        return Err(DbError::Newer { database: database.to_owned(), migration: migration.clone() });
    }
    Ok(migrations.iter().filter(|migration| !applied.contains(migration.name)).collect())
}
