//! The manifest: what an archive is, and what is in it.

use std::collections::BTreeMap;

use bedplate_types::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// The archive's last file.
pub(crate) const NAME: &str = "manifest.json";
pub(crate) const FORMAT: u32 = 1;
/// A manifest of more bytes is none: a hundred bytes a file, for a few million files.
pub(crate) const LONGEST: u64 = 512 << 20;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Of the archive itself.
    pub format: u32,
    #[serde(flatten)]
    pub about: About,
    pub files: BTreeMap<String, Content>,
}

/// What the archive is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    pub made_at: Timestamp,
    /// The program and its version.
    pub made_by: String,
    /// The layout of the folder whose files these are.
    pub layout: u32,
    pub with_keys: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    pub bytes: u64,
    pub sha256: Digest,
}

impl Manifest {
    /// How much all files are together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.values().map(|content| content.bytes).sum()
    }
}
