//! What PostgreSQL says of a failure, in the store's words. Details are left out: they hold values of rows.

use tokio_postgres::Error;
use tokio_postgres::error::{DbError as Told, SqlState};

use super::server::Server;
use crate::DbError;
use crate::error::shorten;

/// What came of something asked of the server.
pub(super) enum Failure {
    Told(Error),
    /// No answer in time.
    Silent,
}

/// What a failure means for the transaction it happened in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Only the statement failed.
    GoesOn,
    /// Others were in the way: the transaction may be run again.
    RunAgain,
    /// The connection is of no use any more; what was not committed is gone.
    Gone,
}

impl Failure {
    pub(super) fn fate(&self) -> Fate {
        let Self::Told(error) = self else { return Fate::Gone };
        let Some(told) = error.as_db_error() else {
            return if is_client_side(error) { Fate::GoesOn } else { Fate::Gone };
        };
        match told.code() {
            &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED => Fate::RunAgain,
            // A newer replica changed a table that a prepared statement is about.
            &SqlState::FEATURE_NOT_SUPPORTED if told.message().starts_with("cached plan") => Fate::RunAgain,
            code if is_gone(code) => Fate::Gone,
            _ => Fate::GoesOn,
        }
    }

    pub(super) fn words(&self) -> String {
        match self {
            Self::Silent => "it does not answer".into(),
            Self::Told(error) => match error.as_db_error() {
                Some(told) => words(told),
                None => std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string),
            },
        }
    }
}

fn words(told: &Told) -> String {
    format!("{} (SQLSTATE {})", told.message(), told.code().code())
}

/// A value that cannot be sent or read: nothing is wrong with the connection.
fn is_client_side(error: &Error) -> bool {
    !error.is_closed() && std::error::Error::source(error).is_some_and(|source| source.is::<super::value::Misfit>())
}

fn is_gone(code: &SqlState) -> bool {
    let class = &code.code()[..2];
    class == "08" || class == "57" && code != &SqlState::QUERY_CANCELED || code.code() == "25P03"
}

/// Why there is no connection.
pub(super) fn connecting(server: &Server, failure: &Failure) -> DbError {
    let (name, why) = (server.name().to_owned(), failure.words());
    let code = match failure {
        Failure::Told(error) => error.code().map(|code| code.code().to_owned()),
        Failure::Silent => None,
    };
    match code.as_deref() {
        Some(code) if code.starts_with("28") || code.starts_with("3D") => DbError::Refused { server: name, why },
        Some("53300") => DbError::Busy { why: format!("{name}: {why}") },
        _ => DbError::Unreachable { server: name, why },
    }
}

/// What became of a statement.
pub(super) fn running(server: &Server, sql: &str, failure: &Failure) -> DbError {
    let (sql, why) = (shorten(sql), failure.words());
    match failure.fate() {
        Fate::Gone => return server.unreachable(why),
        Fate::RunAgain => return DbError::Busy { why },
        Fate::GoesOn => {}
    }
    let code = match failure {
        Failure::Told(error) => error.code().map(|code| code.code().to_owned()).unwrap_or_default(),
        Failure::Silent => String::new(),
    };
    match code.as_str() {
        "23505" => DbError::Duplicate { sql, why },
        "53100" => DbError::DiskFull { sql },
        "54000" | "22003" | "22021" => DbError::Unstorable { sql, why },
        "55P03" => DbError::Busy { why },
        "XX001" | "XX002" => DbError::Corrupt { sql, why },
        _ if code.starts_with("23") => DbError::Constraint { sql, why },
        _ if code.starts_with("53") => DbError::Busy { why },
        _ => DbError::Statement { sql, source: why.into() },
    }
}
