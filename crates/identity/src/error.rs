//! Why a caller is not believed. Nothing here holds what the caller sent.

use bedplate_db::DbError;
use bedplate_types::{ErrorKind, Explained, InvalidScope, Timestamp};

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
    #[error("the certificate of {principal} expired at {at}")]
    CertificateExpired { principal: String, at: Timestamp },
    #[error("the certificate of {principal} was revoked")]
    CertificateRevoked { principal: String },
    #[error("this ID token was used to sign in before")]
    Used,
    #[error("the stored groups of token {id} are not readable")]
    Groups { id: String, source: serde_json::Error },
    #[error("the stored scope of token {id} is not readable")]
    Scope { id: String, source: InvalidScope },
    #[error(transparent)]
    Db(#[from] DbError),
}

impl IdentityError {
    /// Whether it may be somebody's guess: a token that ended was once had by right.
    #[must_use]
    pub const fn may_be_a_guess(&self) -> bool {
        matches!(self, Self::Malformed | Self::Unknown)
    }
}

impl Explained for IdentityError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Groups { .. } | Self::Scope { .. } => ErrorKind::Corrupt,
            Self::Db(error) => error.kind(),
            _ => ErrorKind::Unauthenticated,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Missing | Self::Scheme | Self::Malformed | Self::Unknown => Some(
                "send `Authorization: Bearer bp_…` with the token in the file `credentials` of the home folder".into(),
            ),
            Self::CertificateExpired { principal, .. } | Self::CertificateRevoked { principal } => {
                Some(format!("ask for a new certificate for {principal}: bedplate certificate issue"))
            }
            Self::Used => Some("bedplate login".into()),
            Self::Expired { principal, .. } | Self::Revoked { principal, .. } => {
                Some(format!("ask an administrator for a new token for {principal}"))
            }
            Self::Groups { .. } | Self::Scope { .. } => None,
            Self::Db(error) => error.fix(),
        }
    }
}
