//! Who is calling: tokens made of 256 random bits, of which only a hash is kept; people an OpenID provider vouches for;
//! machines with a certificate.
//!
//! Start with [`Authenticator`], which turns the value of an `Authorization` header into a [`Principal`]. [`issue`] makes a
//! token and is the only moment it can be seen; [`revoke`] and expiry end it, and [`end_run`] the tokens of a run. There is
//! no default password and no anonymous principal. A token may carry less than its principal may: what it is narrowed to
//! ([`bedplate_types::Scope`]) travels among the principal's groups, where `policy` looks at it in every decision.
//!
//! [`oidc`] decides whether a provider's word is believed and gives somebody a token; [`spiffe`] is what machines are
//! called in certificates, and [`Authenticator::admit`] lets one stand for a connection's requests. [`Lockout`] decides who
//! tried too often.
//!
//! This crate does not know what a principal may do (that is `policy`), nor where a header comes from. No error holds a
//! token or any part of one.

mod access_key;
mod admission;
mod authenticator;
mod certificate;
mod error;
mod header;
mod lockout;
pub mod oidc;
mod principal;
mod request;
mod run;
mod secret;
pub mod spiffe;
mod token;

use bedplate_db::Migration;

pub use access_key::AccessKeys;
pub use admission::Admission;
pub use authenticator::Authenticator;
pub use certificate::{CertificateInfo, ClientCertificate, list_certificates, record_certificate, revoke_certificate};
pub use error::IdentityError;
pub use header::shown_token;
pub use lockout::{Lockout, Source};
pub use principal::Principal;
pub use request::{InvalidRequest, ServiceAccount, TokenRequest, namespace_of};
pub use run::{end_all_runs, end_run, keep_run};
pub use secret::token_id;
pub use token::{NewToken, TokenInfo, authenticate, issue, list, revoke, revoke_principal};

/// The table of tokens.
pub const MIGRATIONS: &[Migration] = &[TOKENS, SCOPES, CERTIFICATES];

const TOKENS: Migration = Migration {
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
};

const SCOPES: Migration = Migration {
    name: "identity_0002_scopes_and_runs",
    sql: "ALTER TABLE identity_tokens ADD COLUMN scope TEXT;
          ALTER TABLE identity_tokens ADD COLUMN run TEXT;
          CREATE INDEX identity_tokens_by_run ON identity_tokens (run);",
};

const CERTIFICATES: Migration = Migration {
    name: "identity_0003_certificates_and_sign_ins",
    sql: "CREATE TABLE identity_certificates (
              fingerprint TEXT PRIMARY KEY,
              principal TEXT NOT NULL,
              serial TEXT NOT NULL,
              issued_at BIGINT NOT NULL,
              not_after BIGINT NOT NULL,
              revoked BIGINT NOT NULL DEFAULT 0
          );
          CREATE TABLE identity_used (hash TEXT PRIMARY KEY, until BIGINT NOT NULL);",
};
