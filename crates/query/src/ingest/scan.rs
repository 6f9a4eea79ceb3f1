//! The one pass over the source: read, bring into shape, judge, write. Blocking, on a thread of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bedplate_kinds::{DatasetSpec, ExpectationOutcome, ExpectationSuiteSpec, Load};
use bedplate_lake::quality::{self, Program, QualityError, References, TableState};
use bedplate_lake::source::SourceFile;
use bedplate_types::Digest;
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use super::merge::{self, Keys, MergeError};
use super::rules::Rules;
use super::sinks::{Finished, Place, Sinks, Unread};
use super::watermark::Mark;
use super::{Ingest, IngestError, Pending, table_state};
use crate::constraint::{Expressions, judge_files};
use crate::delta::{DataFile, Layout, Record, TableFile, Watermark};
use crate::source::{Opened, Reading, opened};

/// Held as long as somebody may write to the table's folder.
pub(super) type WriterLock = Arc<OwnedMutexGuard<()>>;

/// Where rows go: the table's folder, and the version they are meant for.
pub(super) struct Targets {
    pub accepted: (PathBuf, i64),
    pub rejected: (PathBuf, i64),
}

pub(super) struct Scan {
    /// The source as it is declared, for people.
    pub source: PathBuf,
    spec: DatasetSpec,
    suite: ExpectationSuiteSpec,
    references: References,
    pending: Pending,
    pub input: Digest,
    pub targets: Targets,
    /// The table's data files, where rows are added to it.
    pub files: Vec<TableFile>,
    pub rules: Arc<Rules>,
    cancel: CancellationToken,
    _writing: WriterLock,
}

/// The files are there and no version has them yet.
pub(super) struct Scanned {
    pub layout: Layout,
    pub accepted: Vec<DataFile>,
    pub rejected: Option<DataFile>,
    /// Data files that take the place of others, and those.
    pub rewritten: Vec<DataFile>,
    pub without: Vec<TableFile>,
    /// Rows of the table that were replaced.
    replaced: u64,
    rows_read: u64,
    files: Vec<SourceFile>,
    outcomes: Vec<ExpectationOutcome>,
    watermark: Option<Watermark>,
}

impl Scan {
    pub fn new(
        ingest: &Ingest<'_>,
        targets: Targets,
        (files, rules): (Vec<TableFile>, Arc<Rules>),
        cancel: CancellationToken,
        writing: WriterLock,
    ) -> Self {
        Self {
            source: ingest.pending.place(&ingest.spec.source),
            spec: ingest.spec.clone(),
            suite: ingest.suite.cloned().unwrap_or(ExpectationSuiteSpec { expectations: Vec::new() }),
            references: ingest.references.clone(),
            pending: ingest.pending.clone(),
            input: ingest.input_digest,
            targets,
            files,
            rules,
            cancel,
            _writing: writing,
        }
    }

    pub async fn run(self) -> Result<Scanned, IngestError> {
        let path = self.source.clone();
        let pass = tokio::task::spawn_blocking(move || self.pass());
        pass.await.map_err(|error| IngestError::Stopped { path, why: error.to_string() })?
    }

    fn pass(self) -> Result<Scanned, IngestError> {
        let reading = Reading::new(&self.spec, self.pending.columns.clone())?;
        let program = Program::compile(&self.suite, &self.spec, &self.references);
        let mut program = program.map_err(|error| self.columns_first(&reading, error))?;
        let layout = Layout::of(&self.spec);
        self.follow_table(&mut program, &layout)?;
        let keys = Keys::new(&self.spec, &layout.schema).map_err(QualityError::Batch)?;
        let mut sinks = Sinks::new(&self, layout.clone(), keys)?;
        let mut mark = Mark::new(&self.spec, self.low());
        let (mut rows, mut files) = (0, Vec::new());
        for file in &self.pending.files {
            let opened = self.pending.open(file, &self.cancel)?;
            rows += self.read(&opened, &reading, &mut program, &mut sinks, mark.as_mut())?;
            files.push(opened.entry);
        }
        self.check_cancelled(&self.source)?;
        let outcomes = self.judged(program, &sinks.unread, rows)?;
        let Finished { accepted, rejected, keys } = sinks.finish()?;
        let merge::Merged { accepted, rewritten, without, replaced } = self.merge(&layout, accepted, keys)?;
        self.judge_what_stays(&layout, &rewritten, &without)?;
        let watermark = self.pending.watermark.clone().or_else(|| mark.and_then(Mark::finish));
        Ok(Scanned {
            layout,
            accepted,
            rejected,
            rewritten,
            without,
            replaced,
            rows_read: rows,
            files,
            outcomes,
            watermark,
        })
    }

    /// Expectations over the table go on from the rows that are there.
    fn follow_table(&self, program: &mut Program, layout: &Layout) -> Result<(), IngestError> {
        if !program.is_over_table() || self.files.is_empty() || self.pending.files.is_empty() {
            return Ok(());
        }
        let mut state = TableState::compile(&self.suite, &self.spec, &self.references)?;
        let files = (&*self.targets.accepted.0, &*self.files);
        table_state::add_files(&mut state, files, &layout.schema, || self.check_cancelled(&self.source))?;
        Ok(program.follow(state)?)
    }

    /// Nothing happens to the rows of a load that does not merge.
    fn merge(
        &self,
        layout: &Layout,
        accepted: Vec<DataFile>,
        keys: Option<Keys>,
    ) -> Result<merge::Merged, IngestError> {
        let Some(keys) = keys else { return Ok(merge::Merged { accepted, ..Default::default() }) };
        let (location, version) = &self.targets.accepted;
        let go_on = || self.check_cancelled(&self.source);
        let (files, constraints) = (&self.files, &self.rules.constraints);
        let target = merge::Target { location, files, layout, constraints, version: *version, go_on: &go_on };
        target.merge(accepted.into_iter().next(), keys).map_err(|error| self.unmerged(error))
    }

    /// The rows that are there, by constraints that are newer than they are.
    fn judge_what_stays(
        &self,
        layout: &Layout,
        rewritten: &[DataFile],
        without: &[TableFile],
    ) -> Result<(), IngestError> {
        let stay = self.files.iter().filter(|file| !without.contains(file)).map(|file| (&*file.name, &file.partition));
        let rest = rewritten.iter().map(|file| (&*file.name, &file.partition));
        let (location, asked) =
            (&self.targets.accepted.0, (&self.rules.unproven, &layout.schema, "the rows that are there"));
        judge_files(location, stay.chain(rest), asked, || self.check_cancelled(&self.source))
    }

    pub fn unmerged(&self, error: MergeError) -> IngestError {
        match error {
            MergeError::TooMany { most } => IngestError::TooManyKeys { path: self.source.clone(), most },
            MergeError::Arrow(error) => QualityError::Batch(error).into(),
            MergeError::Table(error) => error.into(),
            MergeError::Constraint(error) => error.into(),
            MergeError::Ingest(error) => error,
        }
    }

    /// Reads one file and gives the number of its rows.
    fn read(
        &self,
        opened: &Opened,
        reading: &Reading<'_>,
        program: &mut Program,
        sinks: &mut Sinks<'_>,
        mut mark: Option<&mut Mark>,
    ) -> Result<u64, IngestError> {
        let mut before = 0;
        for piece in opened.pieces(reading)? {
            self.check_cancelled(&opened.path)?;
            let piece = piece?;
            let rows = piece.batch.num_rows() as u64;
            sinks.take(piece, program, mark.as_deref_mut(), &Place { file: &opened.entry.path, before })?;
            before += rows;
        }
        opened.check_steady()?;
        Ok(before)
    }

    /// A suite that does not fit is told of only when the source fits: mostly both do not for one reason.
    fn columns_first(&self, reading: &Reading<'_>, error: QualityError) -> IngestError {
        let first = self.pending.files.first().map(|file| self.pending.open(file, &self.cancel));
        let fits = first.map(|opened| opened.and_then(|opened| opened.pieces(reading).map(drop)));
        fits.and_then(Result::err).map_or_else(|| error.into(), IngestError::from)
    }

    /// How the expectations fared. Where no file was read nothing was judged anew.
    fn judged(&self, program: Program, unread: &Unread, rows: u64) -> Result<Vec<ExpectationOutcome>, IngestError> {
        if let (Some(base), true) = (self.base(), self.pending.files.is_empty()) {
            return Ok(base.outcomes.clone());
        }
        if let (Some(first), true) = (&unread.first, unread.rows == rows) {
            return Err(IngestError::Unreadable { path: self.source.clone(), rows, first: first.clone() });
        }
        let mut outcomes = program.finish();
        if quality::blocking(&outcomes).next().is_some() {
            return Err(IngestError::Blocked { path: self.source.clone(), outcomes });
        }
        outcomes.extend(unread.outcome(rows));
        Ok(outcomes)
    }

    /// What rows have to lie above; of a database they do already.
    fn low(&self) -> Option<&Watermark> {
        self.base().filter(|_| self.spec.source.postgres.is_none())?.watermark.as_ref()
    }

    /// What rows are added to.
    fn base(&self) -> Option<&Record> {
        self.pending.base.as_ref().map(|base| &base.record)
    }

    pub fn check_cancelled(&self, path: &Path) -> Result<(), IngestError> {
        if self.cancel.is_cancelled() {
            return Err(IngestError::Cancelled { path: path.to_owned() });
        }
        Ok(())
    }
}

impl Scanned {
    /// What the new version is made of.
    pub fn record(&self, ingest: &Ingest<'_>) -> Record {
        let rejected = self.rejected.as_ref().map_or(0, |file| file.rows);
        let accepted: u64 = self.accepted.iter().map(|file| file.rows).sum();
        let before = |number: fn(&Record) -> u64| ingest.pending.base.as_ref().map_or(0, |base| number(&base.record));
        let by_files = ingest.spec.source.reads_once();
        // A watermark load of files reads everything each time, and finds every bad row again.
        let also = |number: fn(&Record) -> u64| if by_files { before(number) } else { 0 };
        let written: u64 = self.written().map(|file| file.bytes).sum();
        let key = if ingest.spec.source.load == Load::Merge { ingest.spec.source.key.clone() } else { Vec::new() };
        Record {
            input_digest: ingest.input_digest,
            source_digest: opened::digest_of(&self.files),
            rows_read: also(|base| base.rows_read) + self.rows_read,
            rows: (before(|base| base.rows) + accepted).saturating_sub(self.replaced),
            quarantined: also(|base| base.quarantined) + rejected,
            bytes: (before(|base| base.bytes) + written)
                .saturating_sub(self.without.iter().map(|file| file.bytes).sum()),
            file: self.written().next().map(|file| file.name.clone()),
            outcomes: self.outcomes.clone(),
            files: Some(self.files.clone()),
            appended: ingest.pending.appends(),
            file_bytes: (written > 0).then_some(written),
            data_files: None,
            watermark: self.watermark.clone(),
            table_version: None,
            object: ingest.whose.object.to_owned(),
            released_rows: before(|base| base.released_rows),
            review: None,
            upkeep: None,
            rows_of: None,
            restored: ingest.pending.base.as_ref().is_some_and(|base| base.record.restored),
            key,
            constraints: Expressions::new(),
        }
    }

    /// The data files of the table that were written.
    pub fn written(&self) -> impl Iterator<Item = &DataFile> {
        self.accepted.iter().chain(&self.rewritten)
    }
}
