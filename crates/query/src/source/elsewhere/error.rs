//! Why nothing came from another machine. No variant holds anything of a Secret.

use std::io;

use bedplate_types::{ErrorKind, Explained};

#[derive(Debug, thiserror::Error)]
pub enum ElsewhereError {
    #[error("{host} is not among the hosts this platform may read sources from")]
    NotAllowed { host: String },
    #[error("{host} would be spoken to without TLS")]
    Plain { host: String },
    #[error("the Secret {secret} {why}")]
    Secret { secret: String, why: String },
    #[error("{place} cannot be reached: {why}")]
    Unreached { place: String, why: String },
    #[error("{place} is refused to us: {why}")]
    Denied { place: String, why: String },
    #[error("there is no {place}: {why}")]
    Missing { place: String, why: String },
    #[error("{place} was not read: {why}")]
    Refused { place: String, why: String },
    #[error("{place} took longer than {seconds} s")]
    Slow { place: String, seconds: u64 },
    #[error("{place} has {bytes} bytes, and {limit} is the most that is taken")]
    TooLarge { place: String, bytes: u64, limit: u64 },
    #[error("the columns of {place} do not fit: {}", faults.join("; "))]
    Columns { place: String, faults: Vec<String> },
    #[error("{place}, row {row}: column {column} {why}")]
    Value { place: String, row: u64, column: String, why: String },
    #[error("cannot keep what comes from {place} in a file")]
    Spool { place: String, source: io::Error },
    #[error("reading {place} was cancelled")]
    Cancelled { place: String },
}

impl ElsewhereError {
    /// Whether it may be well again by itself soon.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Unreached { .. })
    }
}

impl Explained for ElsewhereError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotAllowed { .. } | Self::Plain { .. } | Self::Denied { .. } => ErrorKind::Denied,
            Self::Missing { .. } => ErrorKind::NotFound,
            Self::Unreached { .. } => ErrorKind::NotReady,
            Self::Slow { .. } => ErrorKind::Timeout,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::Spool { .. } => ErrorKind::Internal,
            Self::Cancelled { .. } => ErrorKind::Busy,
            Self::Secret { .. } | Self::Refused { .. } | Self::Columns { .. } | Self::Value { .. } => {
                ErrorKind::Invalid
            }
        }
    }

    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::NotAllowed { host } => format!("bedplate up --source-host {host}, if sources may be read from there"),
            Self::Plain { host } => {
                format!("speak TLS there; or bedplate up --source-host http://{host}, in a network that you trust")
            }
            Self::Secret { .. } => {
                "correct the Secret's stringData, bedplate apply -f its manifest, then bedplate data load".into()
            }
            Self::Unreached { .. } => {
                "see whether it runs and can be reached from here; it is tried again by itself".into()
            }
            Self::Denied { .. } => {
                "give the Secret's user the right to read it, or correct the Secret, then bedplate data load".into()
            }
            Self::Missing { .. } | Self::Refused { .. } => {
                "correct spec.source of the Dataset, then bedplate apply".into()
            }
            Self::Slow { .. } => {
                "read less by spec.source.postgres.query, or raise spec.source.postgres.timeout".into()
            }
            Self::TooLarge { .. } => "name smaller files, or fewer rows, in spec.source, then bedplate apply".into(),
            Self::Columns { .. } => "correct spec.schema, or convert the column in spec.source.postgres.query".into(),
            Self::Value { .. } => {
                "correct the value in the source, or convert the column in spec.source.postgres.query".into()
            }
            Self::Spool { .. } => "make room on the disk of the platform's home (df), then bedplate data load".into(),
            Self::Cancelled { .. } => "bedplate data load, when the platform is up again".into(),
        })
    }
}
