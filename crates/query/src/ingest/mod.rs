//! Ingest: a source file becomes one new version of a table, and its bad rows one of the quarantine table.
//!
//! Both tables are written in full before either is committed, the quarantine first: whoever sees the new rows can also
//! see what was left out. Killed at any moment, the tables are as they were, or the quarantine is one version ahead; the
//! same ingest again completes it.

mod error;
mod reject;
mod report;
mod scan;

pub use error::IngestError;
pub use report::IngestReport;

use std::path::Path;
use std::sync::Arc;

use bedplate_kinds::{DatasetSpec, ExpectationSuiteSpec};
use bedplate_lake::quality::References;
use bedplate_types::Digest;
use tokio_util::sync::CancellationToken;

use crate::Lake;
use crate::delta::{self, NewVersion, Record, Table, TableError};
use scan::{Scan, Scanned, Targets};

/// What to ingest, and into which table.
#[derive(Debug)]
pub struct Ingest<'a> {
    pub namespace: &'a str,
    pub name: &'a str,
    pub spec: &'a DatasetSpec,
    pub suite: Option<&'a ExpectationSuiteSpec>,
    /// What the suite refers to outside the rows; see [`Lake::values`], [`Lake::condition`] and [`Lake::profile`].
    pub references: References,
    /// The Parquet file.
    pub source: &'a Path,
    /// Stands for source, schema and suite together; [`Lake::committed`] gives it back.
    pub input_digest: Digest,
    /// Stops the reading between two batches; nothing is committed then.
    pub cancel: CancellationToken,
}

impl Lake {
    /// Streams the source into a new version that replaces the table's rows; memory does not grow with the source,
    /// except for `unique` and `completeSeries` expectations. Any error leaves the last version in place.
    pub async fn ingest(&self, ingest: Ingest<'_>) -> Result<IngestReport, IngestError> {
        let location = self.location(ingest.namespace, ingest.name)?;
        let quarantine = self.location(ingest.namespace, &quarantine_name(ingest.name))?;
        // The thread that reads holds it too: it may outlive this future by one batch.
        let writing = Arc::new(self.writer_lock(&location).lock_owned().await);

        let table = open_swept(&location).await?;
        let old_quarantine = open_swept(&quarantine).await?;
        // Dropping this future must stop the thread that reads.
        let cancel = ingest.cancel.child_token();
        let _stop = cancel.clone().drop_guard();
        let targets = Targets {
            accepted: (location.clone(), next(table.as_ref())),
            rejected: (quarantine.clone(), next(old_quarantine.as_ref())),
        };
        let scanned = Scan::new(&ingest, targets, cancel, writing.clone()).run().await?;

        let record = scanned.record(ingest.input_digest);
        commit_quarantine(&quarantine, &scanned, &record, old_quarantine.as_ref()).await?;
        let new =
            NewVersion { location: &location, schema: scanned.schema.clone(), file: scanned.accepted, record: &record };
        let version = delta::overwrite(new, table.as_ref()).await?;
        Ok(IngestReport::from_record(&location, version, record))
    }
}

/// The quarantine table of a table.
pub(crate) fn quarantine_name(name: &str) -> String {
    format!("{name}__quarantine")
}

async fn open_swept(location: &Path) -> Result<Option<Table>, TableError> {
    let table = if delta::exists(location)? { Some(Table::open(location, None).await?) } else { None };
    delta::sweep(location, table.as_ref().map(|table| table.version))?;
    Ok(table)
}

fn next(table: Option<&Table>) -> i64 {
    table.map_or(0, |table| table.version + 1)
}

/// No quarantine table is made for a dataset that never had a bad row.
async fn commit_quarantine(
    location: &Path,
    scanned: &Scanned,
    record: &Record,
    old: Option<&Table>,
) -> Result<(), TableError> {
    if old.is_none() && scanned.rejected.is_none() {
        return Ok(());
    }
    let bytes = scanned.rejected.as_ref().map_or(0, |file| file.bytes);
    let file = scanned.rejected.as_ref().map(|file| file.name.clone());
    let record = Record { rows: record.quarantined, bytes, file, ..record.clone() };
    let schema = reject::schema(&scanned.schema);
    let new = NewVersion { location, schema, file: scanned.rejected.clone(), record: &record };
    delta::overwrite(new, old).await.map(drop)
}
