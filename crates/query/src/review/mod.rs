//! Review: rows of the quarantine are released into the table, or discarded.
//!
//! The table's commit comes first and says what was chosen of which version of the quarantine; then the quarantine gets a
//! version without those rows. Killed between the two, the choice is made again from the version that was named, so that a
//! row is released once. The next review, [`Lake::finish_review`], and a load that adds to both tables complete what was left;
//! any other load replaces both.

mod choice;
mod error;
mod record;

pub use choice::Choice;
pub use error::ReviewError;
pub use record::{Review, ReviewAction};

use std::path::Path;
use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;

use crate::constraint::Constraints;
use crate::delta::{self, DataFile, NewVersion, Record, Table, latest_record, name_of, record_of};
use crate::ingest::{quarantine_name, take_back};
use crate::{IngestReport, Lake};
use choice::{Keep, Target, copy};

/// Who decided what, about which rows.
#[derive(Clone, Debug)]
pub struct ReviewOrder {
    pub action: ReviewAction,
    pub by: String,
    pub why: String,
    pub at: bedplate_types::Timestamp,
    pub choice: Choice,
    /// The table's version that was looked at; another one is refused. Any, when none is named.
    pub version: Option<i64>,
}

impl Lake {
    /// Carries out an order, and what an earlier one left undone. The report is the table's after it.
    ///
    /// # Errors
    /// Nothing is done when a row of the order is not in the quarantine, or the table has another version than the order
    /// was made for.
    pub async fn review(
        &self,
        namespace: &str,
        name: &str,
        order: ReviewOrder,
    ) -> Result<(IngestReport, u64), ReviewError> {
        let mut room = Room::open(self, namespace, name).await?;
        room.finish().await?;
        room.check_ours()?;
        if room.record.watermark.is_some() {
            return Err(ReviewError::FoundAgain { name: name.to_owned() });
        }
        if order.action == ReviewAction::Release && !room.record.key.is_empty() {
            return Err(ReviewError::HasKey { name: name.to_owned(), key: room.record.key.join(", ") });
        }
        if let Some(expected) = order.version.filter(|expected| *expected != room.table.version) {
            return Err(ReviewError::Moved { name: name.to_owned(), expected, found: room.table.version });
        }
        let rows = room.count(&order.choice, order.action).await?;
        let review = Review {
            action: order.action,
            by: order.by,
            why: order.why,
            at: order.at,
            choice: order.choice,
            rows,
            quarantine: room.quarantine.version,
        };
        room.commit(review).await?;
        room.finish().await?;
        Ok((IngestReport::from_record(&room.table.location, room.table.version, room.record), rows))
    }

    /// Completes a review that was cut off; does nothing when none was.
    pub async fn finish_review(&self, namespace: &str, name: &str) -> Result<(), ReviewError> {
        match Room::open(self, namespace, name).await {
            Ok(mut room) => room.finish().await,
            Err(ReviewError::NoQuarantine { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }
}

/// Completes a review that was cut off, for one who holds the right to write; does nothing when none was.
pub(crate) async fn finish(
    location: &Path,
    quarantine: &Path,
    writing: Arc<OwnedMutexGuard<()>>,
) -> Result<(), ReviewError> {
    if !delta::exists(location)? || !delta::exists(quarantine)? {
        return Ok(());
    }
    Room::enter(location, quarantine, writing).await?.finish().await
}

/// Both tables with the right to write to them.
struct Room {
    table: Table,
    record: Record,
    quarantine: Table,
    quarantine_record: Record,
    writing: Arc<OwnedMutexGuard<()>>,
}

impl Room {
    async fn open(lake: &Lake, namespace: &str, name: &str) -> Result<Self, ReviewError> {
        let location = lake.location(namespace, name)?;
        let beside = lake.location(namespace, &quarantine_name(name))?;
        let writing = Arc::new(lake.writer_lock(&location).lock_owned().await);
        if !delta::exists(&location)? || !delta::exists(&beside)? {
            return Err(ReviewError::NoQuarantine { name: name.to_owned() });
        }
        Self::enter(&location, &beside, writing).await
    }

    async fn enter(location: &Path, beside: &Path, writing: Arc<OwnedMutexGuard<()>>) -> Result<Self, ReviewError> {
        let (table, record) = open(location).await?;
        let (mut quarantine, mut quarantine_record) = open(beside).await?;
        quarantine.check_writable_freely()?;
        // What a killed ingest left for a version that never came is not to be reviewed.
        if take_back(&quarantine, &quarantine_record, table.version + 1).await? {
            (quarantine, quarantine_record) = open(beside).await?;
        }
        Ok(Self { table, record, quarantine, quarantine_record, writing })
    }

    /// What another writer did since is not known until the next load.
    fn check_ours(&self) -> Result<(), ReviewError> {
        let location = &self.table.location;
        let record = record_of(location, self.table.version)?;
        record.map(drop).ok_or_else(|| ReviewError::NotOurs { location: location.clone() })
    }

    /// Makes sure that the quarantine is without the rows of the last review.
    async fn finish(&mut self) -> Result<(), ReviewError> {
        let Some(review) = self.record.review.clone() else { return Ok(()) };
        if review.quarantine != self.quarantine.version {
            return Ok(());
        }
        let rest = self.copy(&self.quarantine, Keep::Others, review.choice.clone()).await?;
        let record = Record {
            rows: rest.iter().map(|file| file.rows).sum(),
            quarantined: rest.iter().map(|file| file.rows).sum(),
            bytes: rest.iter().map(|file| file.bytes).sum(),
            file: rest.first().map(|file| file.name.clone()),
            appended: false,
            review: Some(review),
            ..self.quarantine_record.clone()
        };
        let (location, layout) = (&self.quarantine.location, self.quarantine.layout()?);
        let new = NewVersion::adding(location, layout, rest, record);
        delta::commit(new, Some(&self.quarantine), None).await?;
        (self.quarantine, self.quarantine_record) = open(&self.quarantine.location.clone()).await?;
        Ok(())
    }

    async fn commit(&mut self, review: Review) -> Result<(), ReviewError> {
        let is_release = review.action == ReviewAction::Release;
        let files = match review.action {
            ReviewAction::Release => self.copy(&self.table, Keep::Chosen, review.choice.clone()).await?,
            ReviewAction::Discard => Vec::new(),
        };
        let released = if is_release { review.rows } else { 0 };
        let record = Record {
            rows: self.record.rows + released,
            released_rows: self.record.released_rows + released,
            quarantined: self.record.quarantined.saturating_sub(review.rows),
            bytes: self.record.bytes + files.iter().map(|file| file.bytes).sum::<u64>(),
            file: files.first().map(|file| file.name.clone()),
            // No file of the source was read, and what was read before stays loaded.
            files: Some(Vec::new()),
            appended: true,
            review: Some(review),
            upkeep: None,
            rows_of: None,
            ..self.record.clone()
        };
        let (location, layout) = (&self.table.location, self.table.layout()?);
        let new = NewVersion::adding(location, layout, files, record);
        delta::commit(new, Some(&self.table), Some(&self.table)).await?;
        (self.table, self.record) = open(&self.table.location.clone()).await?;
        Ok(())
    }

    /// How many rows are chosen: all that are named by number must be there.
    async fn count(&self, choice: &Choice, action: ReviewAction) -> Result<u64, ReviewError> {
        let (files, choice, writing) = (self.quarantine.paths()?, choice.clone(), self.writing.clone());
        blocking(writing, move || choice::count(&files, &choice, action)).await
    }

    /// Writes the rows of the quarantine that are kept into new files for the next version of `target`.
    async fn copy(&self, target: &Table, keep: Keep, choice: Choice) -> Result<Vec<DataFile>, ReviewError> {
        let files = self.quarantine.paths()?;
        let to = Target {
            dir: target.location.clone(),
            name: name_of(target.version + 1, &self.record.input_digest),
            layout: target.layout()?.nullable(),
            kept: if keep == Keep::Chosen { target.files()? } else { Vec::new() },
            constraints: Arc::new(Constraints::compile(&target.demands()?, &target.schema()?)?),
        };
        blocking(self.writing.clone(), move || copy(&files, &choice, keep, &to)).await
    }
}

/// A table under its writer lock, without what a killed writer left in it, and the record of the newest version that is ours.
async fn open(location: &Path) -> Result<(Table, Record), ReviewError> {
    let table = Table::open(location, None).await?;
    table.check_writable()?;
    delta::sweep(location, Some(table.version))?;
    let record = latest_record(location)?.ok_or_else(|| ReviewError::NotOurs { location: location.to_owned() })?;
    Ok((table, record))
}

/// On a thread that may block; the right to write goes with it, for it may outlive who waits.
async fn blocking<T: Send + 'static>(
    writing: Arc<OwnedMutexGuard<()>>,
    work: impl FnOnce() -> Result<T, ReviewError> + Send + 'static,
) -> Result<T, ReviewError> {
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(writing);
        done
    });
    done.await.map_err(|error| ReviewError::Stopped { why: error.to_string() })?
}
