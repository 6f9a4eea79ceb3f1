//! The point-in-time join: for each label row the features as they were known at its moment.

mod candidates;
mod latest;
mod spine;
mod windowed;

use std::sync::Arc;

use arrow::array::{Float64Array, RecordBatch};
use bedplate_types::Timestamp;

pub use spine::{Spine, SpineShape};

use crate::row::SourceColumns;
use crate::{Brought, FeatureError, RowsReport, ViewDefinition};
use candidates::Candidates;
use latest::Latest;
use windowed::Windowed;

/// One view's join under way: made for a spine, given the source's batches in any order, and asked for the columns.
///
/// Several may each take a part of the source, and be merged.
pub struct PointInTime {
    def: Arc<ViewDefinition>,
    spine: Arc<Spine>,
    rows: Rows,
    /// Rows created after it are not seen.
    cutoff: i64,
    /// Rows known at other times are not seen.
    only: Brought,
    report: RowsReport,
}

/// A row of a batch, and whose it is.
#[derive(Clone, Copy)]
struct Asked {
    row: usize,
    entity: u32,
    time: i64,
}

enum Rows {
    Latest(Latest),
    Windowed(Windowed),
}

impl PointInTime {
    /// `spine` must be of the view's own [`SpineShape`].
    ///
    /// Latest values cost 8 bytes for each stored column of a label row and as much of an entity, however long the source is. A view with windows
    /// costs as much for each source row that some label row can see.
    #[must_use]
    pub fn new(def: Arc<ViewDefinition>, spine: Arc<Spine>) -> Self {
        let width = def.columns().len();
        let is_latest = def.longest_window().is_none();
        let latest = || Rows::Latest(Latest::new(width, &spine));
        let rows = if is_latest { latest() } else { Rows::Windowed(Windowed::new(&def, width)) };
        Self { def, spine, rows, cutoff: i64::MAX, only: Brought::ALL, report: RowsReport::default() }
    }

    /// Bytes that a label row takes at most, besides its place in the spine: a row of latest values. What windows look back on and
    /// the identities of pushed rows come on top.
    #[must_use]
    pub fn bytes_a_row(def: &ViewDefinition) -> usize {
        let created = if def.created.is_some() { size_of::<i64>() } else { 0 };
        Candidates::bytes_a_place(def.columns().len()) + created
    }

    /// Sees no row that was created after `moment`; of a view without a created column, all of them.
    #[must_use]
    pub fn as_known_at(self, moment: Timestamp) -> Self {
        Self { cutoff: moment.micros(), ..self }
    }

    /// Sees, of what [`PointInTime::take`] is given, only the rows that are said to be brought into the online store.
    #[must_use]
    pub fn only(self, only: Brought) -> Self {
        Self { only, ..self }
    }

    /// Takes in some rows of the view's source.
    ///
    /// # Errors
    /// When a column is missing or has a type that cannot be used.
    pub fn take(&mut self, batch: &RecordBatch) -> Result<(), FeatureError> {
        self.take_of(batch, self.only)
    }

    /// Takes in rows that were pushed, whenever they became known.
    ///
    /// # Errors
    /// As [`PointInTime::take`].
    pub fn take_pushed(&mut self, batch: &RecordBatch) -> Result<(), FeatureError> {
        self.take_of(batch, Brought::ALL)
    }

    fn take_of(&mut self, batch: &RecordBatch, only: Brought) -> Result<(), FeatureError> {
        let columns = SourceColumns::new(&self.def, batch)?;
        // All entities are looked up before anything else is done with one: the processor then waits for several at once.
        let asked = self.asked(&columns, batch.num_rows(), only);
        match &mut self.rows {
            Rows::Latest(rows) => rows.take(&asked, &self.spine, &columns),
            Rows::Windowed(rows) => rows.take(&asked, &self.spine, &columns),
        }
        Ok(())
    }

    /// The usable rows of entities some label row asks about.
    fn asked(&mut self, columns: &SourceColumns, rows: usize, only: Brought) -> Vec<Asked> {
        let mut asked = Vec::with_capacity(rows);
        if columns.all_usable() && !columns.has_created() && only == Brought::ALL {
            self.report.kept += rows;
            self.spine.each_entity(columns.keys(), rows, |row, entity| {
                asked.push(Asked { row, entity, time: columns.time(row) });
            });
            return asked;
        }
        let mut key = Vec::new();
        let is_seen = |row| columns.created(row).is_none_or(|created| created <= self.cutoff);
        for row in (0..rows).filter(|row| is_seen(*row)) {
            if let Some(time) = columns.usable(row, &mut self.report).filter(|time| only.holds(*time))
                && let Some(entity) = self.spine.entity(columns.keys(), row, &mut key)
            {
                asked.push(Asked { row, entity, time });
            }
        }
        asked
    }

    /// Takes in what another, made of the same view and spine, took of the source.
    pub fn merge(&mut self, other: Self) {
        self.report += other.report;
        match (&mut self.rows, other.rows) {
            (Rows::Latest(rows), Rows::Latest(others)) => rows.merge(others),
            (Rows::Windowed(rows), Rows::Windowed(others)) => rows.merge(others),
            _ => debug_assert!(false, "joins of two views"),
        }
    }

    /// What was taken in so far, identical rows counted each time.
    #[must_use]
    pub fn report(&self) -> RowsReport {
        self.report
    }

    /// One array per feature in the view's order, each exactly as long as the label rows, in their order. No label row
    /// can be dropped: an unknown entity, a null key or a null time is an entity without rows.
    #[must_use]
    pub fn finish(self) -> Vec<Float64Array> {
        let positions = self.def.positions();
        match self.rows {
            Rows::Latest(rows) => rows.finish(&self.def, &positions, &self.spine),
            Rows::Windowed(rows) => rows.finish(&self.def, &positions, &self.spine),
        }
    }
}
