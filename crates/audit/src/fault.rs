//! What can be wrong with an exported log, and where.

use bedplate_types::{ErrorKind, Explained};

/// The first fault that was found in an export. Faults of leaves and tiles are told against the signed root.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    #[error("cannot read {path}")]
    Read { path: String, source: std::io::Error },
    #[error("{path} is missing, which leaf {first} and those after it need")]
    Absent { path: String, first: u64 },
    #[error("checkpoint: {why}")]
    Checkpoint { why: String },
    #[error("{path} has {found} bytes instead of {expected}")]
    Length { path: String, first: u64, expected: usize, found: usize },
    #[error("{path} was changed: its hashes, from leaf {first} on, do not lead to the signed root")]
    Tile { path: String, first: u64 },
    #[error("audit leaf {index} in {path} was changed")]
    Leaf { path: String, index: u64 },
    #[error("{path} ends before audit leaf {index} does")]
    Cut { path: String, index: u64 },
    #[error("{path} goes on after audit leaf {index}, its last")]
    Surplus { path: String, index: u64 },
    #[error(
        "leaves and tiles agree with each other, but among the leaves {first} to {last} something is not as signed"
    )]
    Root { first: u64, last: u64 },
    #[error("the log was cut back: a note speaks of {noted} leaves, and there are {leaves}")]
    Shorter { leaves: u64, noted: u64 },
    #[error(
        "the log was rewritten: among the leaves {first} to {last} something is not as the note of {noted} leaves has it"
    )]
    Forked { first: u64, last: u64, noted: u64 },
    #[error("the note to compare with is not this log's: {why}")]
    Note { why: String },
    #[error("the log has {leaves} leaves, and leaf {index} was asked for")]
    OutOfRange { index: u64, leaves: u64 },
}

impl Fault {
    /// The first leaf that cannot be trusted.
    #[must_use]
    pub const fn first_bad_leaf(&self) -> Option<u64> {
        match self {
            Self::Leaf { index, .. } | Self::Cut { index, .. } => Some(*index),
            Self::Shorter { leaves, .. } => Some(*leaves),
            Self::Absent { first, .. }
            | Self::Length { first, .. }
            | Self::Tile { first, .. }
            | Self::Root { first, .. }
            | Self::Forked { first, .. } => Some(*first),
            _ => None,
        }
    }

    /// The file that is at fault, when it is one.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Read { path, .. }
            | Self::Absent { path, .. }
            | Self::Length { path, .. }
            | Self::Tile { path, .. }
            | Self::Leaf { path, .. }
            | Self::Cut { path, .. }
            | Self::Surplus { path, .. } => Some(path),
            Self::Checkpoint { .. } => Some(crate::CHECKPOINT),
            _ => None,
        }
    }
}

impl Explained for Fault {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Read { .. } => ErrorKind::Internal,
            Self::Note { .. } => ErrorKind::Invalid,
            Self::OutOfRange { .. } => ErrorKind::NotFound,
            _ => ErrorKind::Corrupt,
        }
    }

    fn fix(&self) -> Option<String> {
        let corrupt = "keep the folder as evidence, and export the log anew into another one";
        (self.kind() == ErrorKind::Corrupt).then(|| corrupt.to_owned())
    }
}
