//! What bedplate writes into a commit, so that a table says by itself what it was made from.

use std::path::{Path, PathBuf};

use bedplate_kinds::ExpectationOutcome;
use bedplate_lake::source::SourceFile;
use bedplate_types::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{TableError, log};
use crate::IngestReport;
use crate::constraint::Expressions;
use crate::review::Review;
use crate::upkeep::Upkeep;

/// The latest version of a table and what it was made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Committed {
    pub version: i64,
    /// As it was given to the ingest that wrote the version.
    pub input_digest: Digest,
    /// What that ingest reported.
    pub report: IngestReport,
}

/// The JSON in a commit's `userMetadata`. Fields are added, never renamed: old tables are read by newer versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    pub input_digest: Digest,
    pub source_digest: Digest,
    /// These four are of the version, also where this commit only added to it.
    pub rows_read: u64,
    pub rows: u64,
    pub quarantined: u64,
    pub bytes: u64,
    /// The data file this commit wrote; none when it had no rows.
    pub file: Option<String>,
    pub outcomes: Vec<ExpectationOutcome>,
    /// The files this commit read, whole. Older commits do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<SourceFile>>,
    /// Whether it added to the version before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub appended: bool,
    /// Length of `file`; unsaid, it is `bytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<u64>,
    /// How many data files the version has; unsaid, it is `file` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_files: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<Watermark>,
    /// Of a quarantine table: the table's version it was written for. That version may never have come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_version: Option<i64>,
    /// The object the table was loaded for: another one of the same name begins anew.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub object: String,
    /// Rows of the version that were released from the quarantine.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub released_rows: u64,
    /// The review that made this version, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// What was done to the table without a load, where that made this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upkeep: Option<Upkeep>,
    /// The version that first had these rows; unsaid, it is this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_of: Option<i64>,
    /// Since rows were restored, and until all are replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restored: bool,
    /// The columns that its rows were merged by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// The constraints in the log that the dataset declared; others are another writer's.
    #[serde(default, skip_serializing_if = "Expressions::is_empty")]
    pub constraints: Expressions,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(rows: &u64) -> bool {
    *rows == 0
}

/// What the next load's rows lie above: microseconds since 1970, or a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    pub column: String,
    pub value: i64,
    /// The rows of a database that have just this value and were read, by their digests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge: Option<Vec<String>>,
}

impl Record {
    pub fn files_of_version(&self) -> usize {
        self.data_files.unwrap_or(usize::from(self.file.is_some()))
    }
}

/// See [`crate::Lake::committed`].
pub(crate) async fn committed(location: &Path) -> Result<Option<Committed>, TableError> {
    if !super::exists(location)? {
        return Ok(None);
    }
    let table = super::Table::open(location, None).await?;
    let record = record_of(location, table.version)?;
    Ok(record.map(|(_, record)| Committed {
        version: table.version,
        input_digest: record.input_digest,
        report: IngestReport::from_record(location, table.version, record),
    }))
}

/// The record of a version with the commit file it is in; none when bedplate did not write that version.
pub(crate) fn record_of(location: &Path, version: i64) -> Result<Option<(PathBuf, Record)>, TableError> {
    let Some((_, file)) = log::commits(location)?.into_iter().find(|(known, _)| *known == version) else {
        return Ok(None);
    };
    Ok(record_in(location, &file)?.map(|record| (file, record)))
}

/// The record of the newest version that bedplate wrote.
pub(crate) fn latest_record(location: &Path) -> Result<Option<Record>, TableError> {
    for (_, file) in log::commits(location)?.iter().rev() {
        if let Some(record) = record_in(location, file)? {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

pub(super) fn record_in(location: &Path, file: &Path) -> Result<Option<Record>, TableError> {
    let actions = log::actions(location, file)?;
    Ok(actions.iter().find_map(|action| action.get("commitInfo")).and_then(parse))
}

pub(super) fn parse(info: &Value) -> Option<Record> {
    serde_json::from_str(info.get("userMetadata")?.as_str()?).ok()
}
