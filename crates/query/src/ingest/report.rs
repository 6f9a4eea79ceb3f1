//! What an ingest did.

use std::path::{Path, PathBuf};

use bedplate_kinds::ExpectationOutcome;
use bedplate_types::Digest;

use crate::delta::Record;

#[derive(Clone, Debug, PartialEq)]
pub struct IngestReport {
    /// Rows of the source.
    pub rows_read: u64,
    /// Rows of the table.
    pub rows: u64,
    /// Rows of the quarantine table; `rows + quarantined == rows_read` until rows are discarded.
    pub quarantined: u64,
    /// Rows of the table that were released from the quarantine.
    pub released: u64,
    /// Bytes of the table's data files.
    pub bytes: u64,
    /// The Delta version.
    pub version: i64,
    /// Folder of the Delta table.
    pub location: PathBuf,
    /// Folder of the quarantine table, when a row went there.
    pub quarantine_location: Option<PathBuf>,
    /// Digest of the source file's bytes.
    pub source_digest: Digest,
    /// How each expectation fared, in the suite's order.
    pub outcomes: Vec<ExpectationOutcome>,
}

impl IngestReport {
    pub(crate) fn from_record(location: &Path, version: i64, record: Record) -> Self {
        let name = location.file_name().unwrap_or_default().to_string_lossy();
        let quarantine = location.with_file_name(super::quarantine_name(&name));
        Self {
            rows_read: record.rows_read,
            rows: record.rows,
            quarantined: record.quarantined,
            released: record.released.iter().map(|file| file.rows).sum(),
            bytes: record.files().map(|(_, bytes)| bytes).sum(),
            version,
            location: location.to_owned(),
            quarantine_location: (record.quarantined > 0).then_some(quarantine),
            source_digest: record.source_digest,
            outcomes: record.outcomes,
        }
    }
}
