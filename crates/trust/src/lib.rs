//! Signs a model's files and says whether they are still what was signed.
//!
//! Start with [`sign`] and [`verify`]: they make and check an OpenSSF model-signing bundle (a Sigstore bundle 0.3 around
//! a DSSE envelope around an in-toto statement, EC P-256), which the PyPI `model-signing` command verifies too. Our own
//! [`verify`] is stricter: every file that is there must be signed, hidden files and git's files included.
//!
//! Callers hand over names and digests of a folder's files; this crate opens no file, asks no clock, and draws no
//! randomness: a new [`SigningKey`] is made from bytes given to it.

mod bundle;
mod error;
mod files;
mod key;
mod sign;
mod statement;
mod verify;

pub use error::{KeyError, SignError, VerifyError};
pub use files::{Files, SIGNATURE_FILE};
pub use key::SigningKey;
pub use sign::sign;
pub use verify::verify;
