//! What can go wrong in the store, told of the file or the statement it happened on.

use std::path::{Path, PathBuf};

use bedplate_types::{ErrorKind, Explained};
use rusqlite::ErrorCode;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    #[error("cannot open the database {}", path.display())]
    Open { path: PathBuf, source: Source },
    #[error("cannot write to the database {}: {why}", path.display())]
    NotWritable { path: PathBuf, why: String },
    #[error("the database {} is damaged or is not a database: {why}", path.display())]
    Damaged { path: PathBuf, why: String },
    #[error(
        "the database {database} was written by a newer version: it has the migration {migration:?}, which this one does not know"
    )]
    Newer { database: String, migration: String },
    /// Says nothing of the address: it may hold a password.
    #[error("the address of the database cannot be used: {why}")]
    Address { why: &'static str },
    #[error("the database server {server} cannot be reached: {why}")]
    Unreachable { server: String, why: String },
    #[error("the database server {server} refuses us: {why}")]
    Refused { server: String, why: String },
    #[error("the database {server} is not made for this: {why}")]
    Unsuitable { server: String, why: &'static str },
    #[error("the database is busy: {why}")]
    Busy { why: String },
    #[error("the database cannot store this: {why}, in {sql:?}")]
    Unstorable { sql: String, why: String },
    #[error("{} is there already", path.display())]
    Exists { path: PathBuf },
    #[error("cannot copy the database to {}", path.display())]
    Copy { path: PathBuf, source: Source },
    #[error("{0}")]
    Unsupported(&'static str),
    #[error("another process holds the database {}", path.display())]
    Held { path: PathBuf },
    #[error("migration {name} failed")]
    Migration { name: &'static str, source: Source },
    #[error("two migrations are called {0}")]
    DuplicateMigration(&'static str),
    #[error("a row with this key exists already: {why}, in {sql:?}")]
    Duplicate { sql: String, why: String },
    #[error("the statement breaks a constraint: {why}, in {sql:?}")]
    Constraint { sql: String, why: String },
    #[error("the database is damaged: {why}, in {sql:?}")]
    Corrupt { sql: String, why: String },
    #[error("the disk is full, in {sql:?}")]
    DiskFull { sql: String },
    #[error("statement {sql:?} failed")]
    Statement { sql: String, source: Source },
    #[error("statement {sql:?} takes {wanted} arguments, {given} were given")]
    Arguments { sql: String, wanted: usize, given: usize },
    #[error("column {column} holds {found} where {wanted} was expected")]
    Column { column: usize, wanted: &'static str, found: &'static str },
    #[error("the changes could not be committed: {why}")]
    Commit { why: String },
    #[error("a write was asked for inside another write; pass the transaction on instead")]
    Nested,
    /// Somebody else may write now; nothing of the transaction was kept.
    #[error("it may not be written any more: {why}")]
    Fenced { why: String },
    #[error("the database is closed")]
    Closed,
}

impl DbError {
    /// A key that had to be new was taken.
    #[must_use]
    pub const fn is_duplicate(&self) -> bool {
        matches!(self, Self::Duplicate { .. })
    }

    pub(crate) fn opening(path: &Path, error: rusqlite::Error) -> Self {
        let (path, why) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::NotWritable { path, why }
            }
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Damaged { path, why },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Held { path },
            _ => Self::Open { path, source: error.into() },
        }
    }

    pub(crate) fn running(sql: &str, error: rusqlite::Error) -> Self {
        let (sql, why) = (shorten(sql), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) if names_a_key(&error) => Self::Duplicate { sql, why },
            Some(ErrorCode::ConstraintViolation) => Self::Constraint { sql, why },
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Corrupt { sql, why },
            Some(ErrorCode::DiskFull) => Self::DiskFull { sql },
            _ => Self::Statement { sql, source: error.into() },
        }
    }
}

fn names_a_key(error: &rusqlite::Error) -> bool {
    const KEYS: [i32; 2] = [rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE, rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY];
    error.sqlite_error().is_some_and(|failure| KEYS.contains(&failure.extended_code))
}

/// The statement on one line, cut where a log line would drown in it.
pub(crate) fn shorten(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A transaction whose own errors are [`Problem`]s tells the store's in the same way.
impl From<DbError> for bedplate_types::Problem {
    fn from(error: DbError) -> Self {
        Self::of("the database", &error)
    }
}

impl Explained for DbError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Damaged { .. } | Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::Newer { .. } | Self::NotWritable { .. } | Self::Address { .. } | Self::Unsuitable { .. } => {
                ErrorKind::Invalid
            }
            Self::Refused { .. } | Self::Unstorable { .. } | Self::Unsupported(_) => ErrorKind::Invalid,
            Self::Held { .. } | Self::Busy { .. } => ErrorKind::Busy,
            Self::Duplicate { .. } | Self::Exists { .. } => ErrorKind::AlreadyExists,
            Self::Closed | Self::Unreachable { .. } | Self::Fenced { .. } => ErrorKind::NotReady,
            _ => ErrorKind::Internal,
        }
    }

    fn fix(&self) -> Option<String> {
        let fix = match self {
            Self::NotWritable { path, .. } => {
                format!("give your user the right to write to {}, or choose another home", folder(path).display())
            }
            Self::Damaged { path, .. } => {
                format!("restore {} and the files beside it from a backup, or choose another home", path.display())
            }
            Self::Corrupt { .. } => "stop bedplate and restore its home folder from a backup".into(),
            Self::Newer { .. } => "use the newer bedplate, or choose another home".into(),
            Self::Held { .. } => "stop the other process, or choose another home".into(),
            Self::DiskFull { .. } => "free some space on the disk that holds the home folder".into(),
            Self::Address { .. } => "write it as postgres://user:password@host:5432/database".into(),
            Self::Unreachable { .. } => "see that the server runs and can be reached from here, and try again".into(),
            Self::Refused { .. } => "see that the user, the password and the database are right".into(),
            Self::Unsuitable { .. } => {
                "make one: CREATE DATABASE name TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'".into()
            }
            Self::Exists { .. } => "name another file, or move that one away".into(),
            _ => return None,
        };
        Some(fix)
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortens_on_a_character() {
        assert_eq!(shorten("SELECT\n   1"), "SELECT 1");
        assert_eq!(shorten(&"é".repeat(200)).chars().count(), 161);
    }
}
