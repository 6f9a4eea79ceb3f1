//! Where rows go: to the table or to quarantine. The first has a file for each partition, the second one that is made when
//! the first bad row comes.

use std::collections::HashSet;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{and, filter_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use bedplate_kinds::{ExpectationOutcome, Severity};
use bedplate_lake::quality::{Program, QualityError};
use bedplate_lake::read::Fault;

use super::IngestError;
use super::merge::Keys;
use super::reject::{self, Rejected, UNREAD};
use super::scan::Scan;
use super::watermark::Mark;
use crate::constraint::Tally;
use crate::delta::{DataFile, DataFileWriter, Layout, TableWriter, name_of, partition};
use crate::source::Piece;

/// Which rows are judged.
pub(super) const LOADED: &str = "the rows that are loaded";

pub(super) struct Sinks<'a> {
    scan: &'a Scan,
    layout: Layout,
    accepted: TableWriter,
    rejected: Option<DataFileWriter>,
    /// Where rows are merged.
    keys: Option<Keys>,
    /// Of rows that are not merged: of others it is known later which are there to stay.
    tally: Tally,
    pub unread: Unread,
}

/// What was written, and the keys of what was accepted.
pub(super) struct Finished {
    /// Rows that are to be merged are in one file.
    pub accepted: Vec<DataFile>,
    pub rejected: Option<DataFile>,
    pub keys: Option<Keys>,
}

/// Where a piece stands.
pub(super) struct Place<'a> {
    pub file: &'a str,
    /// Rows of the file before it.
    pub before: u64,
}

/// Rows that could not be read as declared.
#[derive(Default)]
pub(super) struct Unread {
    pub rows: u64,
    pub first: Option<String>,
}

impl Unread {
    fn count(&mut self, faults: &[Fault], place: &Place<'_>) {
        self.rows += faults.len() as u64;
        if let (None, Some(fault)) = (&self.first, faults.first()) {
            self.first = Some(format!("{}, {}", place.file, fault.reason));
        }
    }

    /// Told as an expectation that nobody has to declare, where one row does not meet it.
    pub fn outcome(&self, rows_read: u64) -> Option<ExpectationOutcome> {
        let first = self.first.as_ref()?;
        Some(ExpectationOutcome {
            name: UNREAD.into(),
            severity: Severity::Quarantine,
            passed: false,
            failing: self.rows,
            observed: rows_read,
            value: Some(self.rows as f64 / rows_read as f64),
            detail: format!("{} of {rows_read} rows cannot, the first is {first}", self.rows),
        })
    }
}

impl<'a> Sinks<'a> {
    pub fn new(scan: &'a Scan, layout: Layout, keys: Option<Keys>) -> Result<Self, IngestError> {
        let (dir, version) = &scan.targets.accepted;
        // What is merged is known by its place in one file until it is known what stays.
        let shape = if keys.is_some() { Layout::whole(layout.schema.clone()) } else { layout.clone() };
        let accepted = TableWriter::new(dir, name_of(*version, &scan.input), &shape, &scan.files)?;
        let tally = Tally::new(scan.rules.constraints.clone(), LOADED);
        Ok(Self { scan, layout, accepted, rejected: None, keys, tally, unread: Unread::default() })
    }

    /// Rows that cannot be read are not judged: what is null in them is not what the source says.
    pub fn take(
        &mut self,
        piece: Piece,
        program: &mut Program,
        mark: Option<&mut Mark>,
        place: &Place<'_>,
    ) -> Result<(), IngestError> {
        self.unread.count(&piece.faults, place);
        let faults = self.with_missing(piece.faults, &piece.batch, mark.as_deref())?;
        let (batch, numbers) = self.part(piece.batch, &faults, place)?;
        let above = mark.as_ref().map(|mark| mark.above(&batch)).transpose().map_err(failed)?;
        let verdict = program.observe_with_known(&batch, above.as_ref())?;
        let rejected: Vec<Rejected> = verdict
            .rejected
            .iter()
            .map(|found| Rejected { at: found.row, row: numbers.of(found.row), reasons: found.reasons.join("; ") })
            .collect();
        self.reject(&batch, &rejected, place)?;
        let keep =
            above.map_or_else(|| Ok(verdict.keep.clone()), |above| and(&verdict.keep, &above)).map_err(failed)?;
        self.accept(&batch, &keep, mark, |row| format!("row {} of {}", numbers.of(row), place.file))
    }

    /// A row that has no watermark, no key or no partition is faulty too; one that could not be read is so already.
    fn with_missing(
        &self,
        mut faults: Vec<Fault>,
        batch: &RecordBatch,
        mark: Option<&Mark>,
    ) -> Result<Vec<Fault>, IngestError> {
        let mut missing = self.keys.as_ref().map(|keys| keys.missing(batch)).unwrap_or_default();
        if let Some((rows, reason)) = mark.map(|mark| mark.missing(batch)) {
            missing.extend(rows.into_iter().map(|row| (row, reason.clone())));
        }
        missing.extend(partition::missing(batch, &self.layout.partition_by).map_err(failed)?);
        let mut known: HashSet<usize> = faults.iter().map(|fault| fault.row).collect();
        let more = missing.into_iter().filter(|(row, _)| known.insert(*row));
        faults.extend(more.map(|(row, reason)| Fault { row, reason }));
        faults.sort_by_key(|fault| fault.row);
        Ok(faults)
    }

    /// Puts the faulty rows aside; what is left, and which rows of the file that is.
    fn part(
        &mut self,
        batch: RecordBatch,
        faults: &[Fault],
        place: &Place<'_>,
    ) -> Result<(RecordBatch, Numbers), IngestError> {
        if faults.is_empty() {
            return Ok((batch, Numbers::From(place.before)));
        }
        let rejected: Vec<Rejected> = faults
            .iter()
            .map(|fault| Rejected {
                at: fault.row,
                row: place.before + fault.row as u64,
                reasons: format!("{UNREAD}: {}", fault.reason),
            })
            .collect();
        self.reject(&batch, &rejected, place)?;
        let mut fine = vec![true; batch.num_rows()];
        faults.iter().for_each(|fault| fine[fault.row] = false);
        let left = (0..batch.num_rows()).filter(|row| fine[*row]).map(|row| place.before + row as u64).collect();
        let batch = filter_record_batch(&batch, &BooleanArray::from(fine)).map_err(failed)?;
        Ok((batch, Numbers::These(left)))
    }

    /// `place` says where a row of the batch is in the source.
    fn accept(
        &mut self,
        batch: &RecordBatch,
        keep: &BooleanArray,
        mark: Option<&mut Mark>,
        place: impl Fn(usize) -> String,
    ) -> Result<(), IngestError> {
        let all = keep.true_count() == batch.num_rows();
        let kept = if all { batch.clone() } else { filter_record_batch(batch, keep).map_err(failed)? };
        let place = |row: usize| place(keep.values().set_indices().nth(row).unwrap_or_default());
        if let Some(mark) = mark {
            mark.rise(&kept).map_err(failed)?;
        }
        match &mut self.keys {
            Some(keys) => {
                let constraints = &self.scan.rules.constraints;
                keys.note(&kept, constraints, place).map_err(|error| self.scan.unmerged(error))?;
            }
            None => self.tally.observe(&kept, place)?,
        }
        Ok(self.accepted.write(&kept)?)
    }

    fn reject(&mut self, batch: &RecordBatch, rejected: &[Rejected], place: &Place<'_>) -> Result<(), IngestError> {
        if rejected.is_empty() {
            return Ok(());
        }
        let schema = reject::schema(&self.layout.schema);
        let rows = reject::rows(batch, rejected, place.file, &schema).map_err(failed)?;
        Ok(self.quarantine(schema)?.write(&rows)?)
    }

    fn quarantine(&mut self, schema: SchemaRef) -> Result<&mut DataFileWriter, IngestError> {
        if let Some(ref mut writer) = self.rejected {
            return Ok(writer);
        }
        let (dir, version) = &self.scan.targets.rejected;
        let writer = DataFileWriter::whole(dir, name_of(*version, &self.scan.input), schema)?;
        Ok(self.rejected.insert(writer))
    }

    pub fn finish(self) -> Result<Finished, IngestError> {
        self.tally.finish()?;
        let rejected = self.rejected.map(DataFileWriter::finish).transpose()?;
        let accepted = self.accepted.finish(|| self.scan.check_cancelled(&self.scan.source))?;
        Ok(Finished { accepted, rejected: rejected.flatten(), keys: self.keys })
    }
}

/// The numbers a batch's rows have in their file.
enum Numbers {
    From(u64),
    These(Vec<u64>),
}

impl Numbers {
    fn of(&self, row: usize) -> u64 {
        match self {
            Self::From(first) => first + row as u64,
            Self::These(numbers) => numbers[row],
        }
    }
}

fn failed(error: ArrowError) -> IngestError {
    IngestError::Quality(QualityError::Batch(error))
}
