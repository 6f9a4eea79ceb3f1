//! What bedplate writes into a commit, so that a table says by itself what it was made from.

use std::path::{Path, PathBuf};

use bedplate_kinds::ExpectationOutcome;
use bedplate_types::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{TableError, log};
use crate::IngestReport;

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
    /// The data file that holds all rows of the version; none when it has no rows.
    pub file: Option<String>,
    pub outcomes: Vec<ExpectationOutcome>,
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
pub(super) fn record_of(location: &Path, version: i64) -> Result<Option<(PathBuf, Record)>, TableError> {
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
