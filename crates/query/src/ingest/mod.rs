//! Ingest: the files of a source become one new version of a table, and their bad rows one of the quarantine table.
//!
//! [`Lake::pending`] decides what there is to read, [`Lake::ingest`] reads it. Both tables are written in full before either
//! is committed, the quarantine first: whoever sees the new rows can also see what was left out. Killed at any moment, the
//! tables are as they were, or the quarantine is one version ahead; what it has ahead is taken back by the next ingest. The
//! table's commit holds the files its rows were read from, so no file is lost or read twice.

mod elsewhere;
mod error;
mod merge;
mod pending;
mod reject;
mod report;
mod rules;
mod scan;
mod settled;
mod sinks;
mod table_state;
mod watermark;

pub use error::IngestError;
pub use pending::{Pending, Whose};
pub(crate) use reject::{FILE, REASONS, ROW, gave, unread};
pub use report::IngestReport;
pub(crate) use settled::{settled, take_back};

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bedplate_kinds::{DatasetSpec, ExpectationSuiteSpec};
use bedplate_lake::quality::References;
use bedplate_lake::schema::evolution;
use bedplate_types::Digest;
use tokio_util::sync::CancellationToken;

use crate::constraint::Expressions;
use crate::delta::{self, Layout, NewVersion, Record, Table, TableError};
use crate::{Lake, review};
use rules::Rules;
use scan::{Scan, Scanned, Targets};

/// What to ingest, and into which table.
#[derive(Debug)]
pub struct Ingest<'a> {
    pub whose: Whose<'a>,
    pub spec: &'a DatasetSpec,
    pub suite: Option<&'a ExpectationSuiteSpec>,
    /// What the suite refers to outside the rows; see [`Lake::values`], [`Lake::condition`] and [`Lake::profile`].
    pub references: References,
    /// Of [`Lake::pending`].
    pub pending: Pending,
    /// Stands for source, schema and suite together; [`Lake::committed`] gives it back.
    pub input_digest: Digest,
    /// Stops the reading between two batches; nothing is committed then.
    pub cancel: CancellationToken,
}

impl Lake {
    /// Streams what is pending into a new version; memory does not grow with the source, except for `unique` and
    /// `completeSeries` expectations. Any error leaves the last version in place.
    pub async fn ingest(&self, ingest: Ingest<'_>) -> Result<IngestReport, IngestError> {
        let whose = ingest.whose;
        let location = self.location(whose.namespace, whose.name)?;
        let quarantine = self.location(whose.namespace, &quarantine_name(whose.name))?;
        // The thread that reads holds it too: it may outlive this future by one batch.
        let writing = Arc::new(self.writer_lock(&location).lock_owned().await);
        if keeps_quarantine(&ingest) {
            review::finish(&location, &quarantine, writing.clone()).await?;
        }

        let table = open_swept(&location).await?;
        check(&ingest, &location, table.as_ref())?;
        let rules = Arc::new(Rules::of(&ingest, &Layout::of(ingest.spec), table.as_ref())?);
        let old_quarantine = open_swept(&quarantine).await?;
        old_quarantine.as_ref().map_or(Ok(()), Table::check_writable_freely)?;
        let target = next(table.as_ref());
        let settled = settled(&quarantine, old_quarantine.as_ref(), target).await?;
        // Dropping this future must stop the thread that reads.
        let cancel = ingest.cancel.child_token();
        let _stop = cancel.clone().drop_guard();
        let targets = Targets {
            accepted: (location.clone(), target),
            rejected: (quarantine.clone(), next(old_quarantine.as_ref())),
        };
        let files =
            table.as_ref().filter(|_| ingest.pending.appends()).map(Table::files).transpose()?.unwrap_or_default();
        let scan = Scan::new(&ingest, targets, (files, rules.clone()), cancel, writing.clone());
        let scanned = scan.run().await?;

        let record = Record { constraints: rules.declared.clone(), ..scanned.record(&ingest) };
        let kept = if keeps_quarantine(&ingest) { settled.as_ref() } else { None };
        commit_quarantine(&quarantine, &scanned, (&record, target), old_quarantine.as_ref(), kept).await?;
        let new = NewVersion {
            location: &location,
            layout: scanned.layout.clone(),
            files: scanned.written().cloned().collect(),
            without: scanned.without.iter().map(|file| file.name.clone()).collect::<BTreeSet<_>>(),
            constraints: Some(rules.demands.checks.clone()),
            record,
        };
        let kept = table.as_ref().filter(|_| ingest.pending.appends());
        let (version, record) = delta::commit(new, table.as_ref(), kept).await?;
        Ok(IngestReport::from_record(&location, version, record))
    }
}

/// A watermark load of files reads all of them, and so finds every bad row again.
fn keeps_quarantine(ingest: &Ingest<'_>) -> bool {
    ingest.pending.appends() && ingest.spec.source.reads_once()
}

/// What to add was decided for one version, and rows can only be added to a table of these columns.
fn check(ingest: &Ingest<'_>, location: &Path, table: Option<&Table>) -> Result<(), IngestError> {
    if !ingest.pending.appends() {
        return Ok(());
    }
    let current = table.filter(|table| Some(table.version) == ingest.pending.version);
    let table = current.ok_or_else(|| IngestError::Overtaken { location: location.to_owned() })?;
    let columns = table.schema()?;
    evolution(&columns, ingest.spec)
        .map_err(|source| IngestError::Columns { location: location.to_owned(), source })?;
    let (was, is) = (table.layout()?.partition_by, &ingest.spec.partition_by);
    if was != *is {
        return Err(IngestError::Partitions { location: location.to_owned(), was, is: is.clone() });
    }
    Ok(())
}

/// The quarantine table of a table.
pub(crate) fn quarantine_name(name: &str) -> String {
    format!("{name}__quarantine")
}

async fn open_swept(location: &Path) -> Result<Option<Table>, TableError> {
    let table = if delta::exists(location)? { Some(Table::open(location, None).await?) } else { None };
    table.as_ref().map_or(Ok(()), Table::check_writable)?;
    delta::sweep(location, table.as_ref().map(|table| table.version))?;
    Ok(table)
}

fn next(table: Option<&Table>) -> i64 {
    table.map_or(0, |table| table.version + 1)
}

/// No quarantine table is made for a dataset that never had a bad row, and no version where nothing changes.
async fn commit_quarantine(
    location: &Path,
    scanned: &Scanned,
    (record, target): (&Record, i64),
    old: Option<&Table>,
    kept: Option<&Table>,
) -> Result<(), TableError> {
    let same = old.zip(kept).is_some_and(|(old, kept)| old.version == kept.version);
    if scanned.rejected.is_none() && (old.is_none() || same) {
        return Ok(());
    }
    let bytes = scanned.rejected.as_ref().map_or(0, |file| file.bytes);
    let file = scanned.rejected.as_ref().map(|file| file.name.clone());
    let record = Record {
        rows: record.quarantined,
        bytes,
        file,
        appended: kept.is_some(),
        table_version: Some(target),
        constraints: Expressions::new(),
        ..record.clone()
    };
    let layout = Layout::whole(reject::schema(&scanned.layout.schema));
    let rejected = scanned.rejected.iter().cloned().collect();
    let new = NewVersion::adding(location, layout, rejected, record);
    delta::commit(new, old, kept).await.map(drop)
}
