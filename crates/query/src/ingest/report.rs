//! What an ingest did.

use std::path::{Path, PathBuf};

use bedplate_kinds::ExpectationOutcome;
use bedplate_lake::source::SourceFile;
use bedplate_types::Digest;

use crate::delta::{Record, Watermark};

#[derive(Clone, Debug, PartialEq)]
pub struct IngestReport {
    /// Rows read: by all loads of `load: newFiles`, else by this one.
    pub rows_read: u64,
    /// Rows of the table.
    pub rows: u64,
    /// Rows of the quarantine table; `rows + quarantined == rows_read` until rows are discarded, but with `load: watermark`.
    pub quarantined: u64,
    /// Rows of the table that were released from the quarantine.
    pub released: u64,
    /// Bytes of the table's data files.
    pub bytes: u64,
    /// Bytes of the data file this load wrote.
    pub written: u64,
    /// The Delta version.
    pub version: i64,
    /// Folder of the Delta table.
    pub location: PathBuf,
    /// Folder of the quarantine table, when a row went there.
    pub quarantine_location: Option<PathBuf>,
    /// As it was given to the ingest.
    pub input_digest: Digest,
    /// Of the bytes of the file this load read, or of the digests of several.
    pub source_digest: Digest,
    /// The files this load read.
    pub files: Vec<SourceFile>,
    /// Whether it added to the version before, or replaced it.
    pub appended: bool,
    /// What the next rows lie above.
    pub watermark: Option<Watermark>,
    /// Data files of the version.
    pub data_files: usize,
    /// The version that first had these rows.
    pub rows_of: i64,
    /// Whether an earlier version's rows were brought back, and not all replaced since.
    pub restored: bool,
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
            released: record.released_rows,
            bytes: record.bytes,
            written: record.file_bytes.unwrap_or(if record.appended { 0 } else { record.bytes }),
            version,
            location: location.to_owned(),
            data_files: record.files_of_version(),
            rows_of: record.rows_of.unwrap_or(version),
            restored: record.restored,
            quarantine_location: (record.quarantined > 0).then_some(quarantine),
            input_digest: record.input_digest,
            source_digest: record.source_digest,
            files: record.files.unwrap_or_default(),
            appended: record.appended,
            watermark: record.watermark,
            outcomes: record.outcomes,
        }
    }
}
