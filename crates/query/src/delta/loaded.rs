//! What a table's rows were read from, as its own commits tell, back to the last one that replaced all rows.
//!
//! Because a commit holds both the rows and the files they were read from, no crash can make the two disagree.

use std::path::Path;

use bedplate_lake::source::SourceFile;

use super::committed::record_in;
use super::{Record, TableError, log};
use crate::IngestReport;
use crate::review::Review;
use crate::upkeep::Upkeep;

/// A table that can be added to.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    /// Every file its rows were read from.
    pub files: Vec<SourceFile>,
    /// Of the latest commit that is ours.
    pub record: Record,
}

/// None when there is no table, or its commits do not tell all files.
pub(crate) fn loaded(location: &Path) -> Result<Option<Loaded>, TableError> {
    let mut found: Option<Loaded> = None;
    for (_, file) in log::commits(location)?.iter().rev() {
        // Another tool's commit: it may compact the table, and tells nothing of files.
        let Some(record) = record_in(location, file)? else { continue };
        let Some(files) = record.files.clone() else { return Ok(None) };
        let appended = record.appended;
        found.get_or_insert_with(|| Loaded { files: Vec::new(), record }).files.extend(files);
        if !appended {
            return Ok(found);
        }
    }
    Ok(None)
}

/// What made a version of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Ingest(IngestReport),
    Review { version: i64, review: Review },
    Upkeep { version: i64, upkeep: Upkeep },
}

impl Change {
    #[must_use]
    pub const fn version(&self) -> i64 {
        match self {
            Self::Ingest(report) => report.version,
            Self::Review { version, .. } | Self::Upkeep { version, .. } => *version,
        }
    }
}

/// What made every version after `after`, oldest first; without `after`, since all rows were last replaced.
pub(crate) fn changes_since(location: &Path, after: Option<i64>) -> Result<Vec<Change>, TableError> {
    let mut changes = Vec::new();
    for (version, file) in log::commits(location)?.into_iter().rev() {
        if after.is_some_and(|after| version <= after) {
            break;
        }
        let Some(record) = record_in(location, &file)? else { continue };
        let appended = record.appended;
        changes.push(match (record.review.clone(), record.upkeep.clone()) {
            (Some(review), _) => Change::Review { version, review },
            (None, Some(upkeep)) => Change::Upkeep { version, upkeep },
            (None, None) => Change::Ingest(IngestReport::from_record(location, version, record)),
        });
        if after.is_none() && !appended {
            break;
        }
    }
    changes.reverse();
    Ok(changes)
}
