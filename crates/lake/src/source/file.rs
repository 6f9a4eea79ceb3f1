//! A file as it was read.

use bedplate_types::Digest;
use serde::{Deserialize, Serialize};

/// A file of a source. A table's commits keep these: fields are added, never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceFile {
    /// Its real path.
    pub path: String,
    /// Of its bytes.
    pub digest: Digest,
    /// Its length.
    pub bytes: u64,
    /// When it was last written, in microseconds since 1970.
    pub modified: i64,
    /// What a store calls this version of its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}
