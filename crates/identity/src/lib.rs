//! Who is calling: tokens made of 256 random bits, of which only a hash is kept.
//!
//! Start with [`Authenticator`], which turns the value of an `Authorization` header into a [`Principal`]. [`issue`] makes a
//! token and is the only moment it can be seen; [`revoke`] and expiry end it. There is no default password and no
//! anonymous principal.
//!
//! This crate does not know what a principal may do (that is `policy`), nor where a header comes from. No error holds a
//! token or any part of one.

mod authenticator;
mod error;
mod header;
mod principal;
mod request;
mod secret;
mod token;

use bedplate_db::Migration;

pub use authenticator::Authenticator;
pub use error::IdentityError;
pub use principal::Principal;
pub use request::{InvalidRequest, ServiceAccount, TokenRequest, namespace_of};
pub use secret::token_id;
pub use token::{NewToken, TokenInfo, authenticate, issue, list, revoke, revoke_principal};

/// The table of tokens.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "identity_0001_tokens",
    sql: "CREATE TABLE identity_tokens (
              id TEXT PRIMARY KEY,
              hash TEXT NOT NULL UNIQUE,
              principal TEXT NOT NULL,
              groups_json TEXT NOT NULL,
              description TEXT NOT NULL,
              created_at BIGINT NOT NULL,
              expires_at BIGINT,
              revoked BIGINT NOT NULL DEFAULT 0
          );
          CREATE INDEX identity_tokens_by_principal ON identity_tokens (principal);",
}];
