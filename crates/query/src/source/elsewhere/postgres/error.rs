//! What a database answers, told without what signs in to it.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::source::elsewhere::{Credentials, ElsewhereError};

/// SQLSTATE classes and codes of what may pass: the connection, too little of something, an operator's intervention, and a
/// replica that had to go on.
const PASSING: [&str; 4] = ["08", "53", "57P", "40"];

pub(super) fn failed(place: &str, credentials: &Credentials, seconds: u64, error: &Error) -> ElsewhereError {
    let place = place.to_owned();
    let Some(said) = error.as_db_error() else {
        let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        // The library has no other way to tell it.
        if error.to_string().starts_with("error performing TLS handshake") {
            return credentials.wrong(format!("leads to a server that TLS does not vouch for: {why}"));
        }
        return ElsewhereError::Unreached { place, why: credentials.hidden(why) };
    };
    let code = said.code();
    let hint = said.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    let why = credentials.hidden(format!("{}{hint}, SQLSTATE {}", said.message(), code.code()));
    let is_passing = PASSING.iter().any(|class| code.code().starts_with(class));
    match code {
        _ if is_passing => ElsewhereError::Unreached { place, why },
        &SqlState::QUERY_CANCELED => ElsewhereError::Slow { place, seconds },
        &SqlState::INSUFFICIENT_PRIVILEGE | &SqlState::INVALID_PASSWORD => ElsewhereError::Denied { place, why },
        _ if code.code().starts_with("28") => ElsewhereError::Denied { place, why },
        &SqlState::UNDEFINED_TABLE | &SqlState::INVALID_SCHEMA_NAME | &SqlState::INVALID_CATALOG_NAME => {
            ElsewhereError::Missing { place, why }
        }
        _ => ElsewhereError::Refused { place, why },
    }
}
