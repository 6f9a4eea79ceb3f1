//! Why something cannot be signed, or is not to be trusted.

use bedplate_types::{ErrorKind, Explained};

/// A key that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the random bytes are no P-256 key; draw others")]
    Random,
    #[error("the text is no PKCS#8 PEM of a P-256 private key")]
    PrivatePem,
    #[error("the text is no PEM of a P-256 public key")]
    PublicPem,
    #[error("the key cannot be written as PEM")]
    Encode,
}

impl Explained for KeyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Random | Self::Encode => ErrorKind::Internal,
            Self::PrivatePem | Self::PublicPem => ErrorKind::Invalid,
        }
    }
}

/// Files that cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    #[error("there are no files to sign")]
    Empty,
    #[error("{0:?} is not a relative path of plain names parted by /")]
    Name(String),
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Explained for SignError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Empty | Self::Name(_) => ErrorKind::Invalid,
            Self::Key(key) => key.kind(),
        }
    }
}

/// Files, a signature and a key that do not belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The signature file is not a bundle of the expected form.
    #[error("the signature is not a model-signing bundle: {0}")]
    NotABundle(String),
    #[error("the signature was made with the key {signed}, not with the key {given}")]
    OtherKey { signed: String, given: String },
    #[error("the signature does not fit what it signs")]
    BadSignature,
    #[error("{0} was altered after signing")]
    Altered(String),
    #[error("{0} was signed but is not there")]
    Missing(String),
    #[error("{0} is there but was not signed")]
    Extra(String),
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Explained for VerifyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotABundle(_) => ErrorKind::Corrupt,
            Self::Key(key) => key.kind(),
            _ => ErrorKind::Refused,
        }
    }
}
