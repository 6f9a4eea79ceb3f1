//! Why a provider's token is not believed. Nothing here holds the token.

use bedplate_types::{ErrorKind, Explained, Timestamp};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OidcError {
    #[error("the ID token is not readable: {0}")]
    Malformed(&'static str),
    #[error("the ID token is signed with {0:?}, which is not accepted")]
    Algorithm(String),
    #[error("the provider has no key {kid:?} that the ID token is signed with")]
    UnknownKey { kid: String },
    #[error("the ID token's signature is wrong")]
    Signature,
    #[error("the ID token is of the issuer {found:?}, not of {expected}")]
    Issuer { found: String, expected: String },
    #[error("the ID token is not for this platform: its audience is another")]
    Audience,
    #[error("the ID token was given to somebody else (azp)")]
    AuthorizedParty,
    #[error("the ID token does not belong to this sign-in (nonce)")]
    Nonce,
    #[error("the ID token expired at {0}")]
    Expired(Timestamp),
    #[error("the ID token is not good before {0}: is one of the clocks wrong?")]
    NotYet(Timestamp),
    #[error("the ID token has no usable claim {0:?}")]
    Claim(String),
    #[error("the provider does not vouch for the e-mail address of the ID token")]
    EmailNotVerified,
    #[error("somebody from the provider may not be called {0:?}")]
    Name(String),
    #[error("the provider's keys are not readable: {0}")]
    Keys(String),
}

impl Explained for OidcError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unauthenticated
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Claim(_) => {
                Some("name a claim the provider sends: --oidc-username-claim, --oidc-groups-claim".into())
            }
            Self::Issuer { .. } | Self::Audience => {
                Some("compare --oidc-issuer and --oidc-client-id with the provider's".into())
            }
            _ => Some("bedplate login".into()),
        }
    }
}
