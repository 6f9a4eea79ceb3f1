//! What bedplate writes into a commit, so that a table says by itself what it was made from.

use std::path::{Path, PathBuf};

use bedplate_kinds::ExpectationOutcome;
use bedplate_types::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DataFile, TableError, log};
use crate::IngestReport;
use crate::review::Review;

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
    pub rows_read: u64,
    pub rows: u64,
    pub quarantined: u64,
    pub bytes: u64,
    /// The data file that holds all rows of the ingest; none when there were none.
    pub file: Option<String>,
    pub outcomes: Vec<ExpectationOutcome>,
    /// The files of rows that were released into the table since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub released: Vec<ReleasedFile>,
    /// The review that made this version, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReleasedFile {
    pub name: String,
    pub bytes: u64,
    pub rows: u64,
}

impl ReleasedFile {
    pub fn of(file: &DataFile) -> Self {
        Self { name: file.name.clone(), bytes: file.bytes, rows: file.rows }
    }
}

impl Record {
    /// Name and length of every data file of the version.
    pub fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        let ingested = self.file.iter().map(|name| (name.as_str(), self.bytes));
        ingested.chain(self.released.iter().map(|file| (file.name.as_str(), file.bytes)))
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
    let actions = log::actions(location, &file)?;
    let record = actions.iter().find_map(|action| action.get("commitInfo")).and_then(parse);
    Ok(record.map(|record| (file, record)))
}

fn parse(info: &Value) -> Option<Record> {
    serde_json::from_str(info.get("userMetadata")?.as_str()?).ok()
}
