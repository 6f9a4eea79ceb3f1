//! Why a caller is not believed. Nothing here holds what the caller sent.

use bedplate_db::DbError;
use bedplate_types::{ErrorKind, Explained, Timestamp};

/// A failure to tell who is calling, or to keep a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    #[error("the request carries no token")]
    Missing,
    #[error("the Authorization header is neither `Bearer <token>` nor `Basic` with the token as its password")]
    Scheme,
    #[error("the token is not one of bedplate's: those are bp_ and 43 more characters")]
    Malformed,
    #[error("the token is not known here")]
    Unknown,
    #[error("the token {id} of {principal} expired at {at}")]
    Expired { id: String, principal: String, at: Timestamp },
    #[error("the token {id} of {principal} was revoked")]
    Revoked { id: String, principal: String },
    #[error("the stored groups of token {id} are not readable")]
    Groups { id: String, source: serde_json::Error },
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Explained for IdentityError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Groups { .. } => ErrorKind::Corrupt,
            Self::Db(error) => error.kind(),
            _ => ErrorKind::Unauthenticated,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Missing | Self::Scheme | Self::Malformed | Self::Unknown => Some(
                "send `Authorization: Bearer bp_…` with the token in the file `credentials` of the home folder".into(),
            ),
            Self::Expired { principal, .. } | Self::Revoked { principal, .. } => {
                Some(format!("ask an administrator for a new token for {principal}"))
            }
            Self::Groups { .. } => None,
            Self::Db(error) => error.fix(),
        }
    }
}
