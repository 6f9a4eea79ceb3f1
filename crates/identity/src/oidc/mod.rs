//! People who sign in elsewhere: what an OpenID provider says of somebody, believed or not.
//!
//! [`verify`] is a pure function over an ID token (OpenID Connect Core 1.0 section 2), the provider's keys (RFC 7517), what is
//! expected, and the time. Where documents come from, how codes are exchanged and what is done with a [`Person`] is for others.

mod claims;
mod error;
mod jws;
mod keys;
mod person;
mod session;

use bedplate_types::Timestamp;

pub use claims::Expected;
pub use error::OidcError;
pub use keys::KeySet;
pub use person::{Naming, Person};
pub use session::open_session;

/// Who the ID token says somebody is.
///
/// # Errors
/// [`OidcError`]; [`OidcError::UnknownKey`] when the keys may be older than the token.
pub fn verify(
    token: &str,
    keys: &KeySet,
    expected: &Expected<'_>,
    naming: &Naming,
    now: Timestamp,
) -> Result<Person, OidcError> {
    let parts = jws::read(token)?;
    keys.verify(&parts)?;
    let claims = parts.claims()?;
    let expires_at = claims::check(&claims, expected, now)?;
    naming.person(&claims, expires_at)
}
