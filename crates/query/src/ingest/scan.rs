//! The one pass over the source: read, bring into shape, judge, write. Blocking, on a thread of its own.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use bedplate_kinds::{DatasetSpec, ExpectationOutcome, ExpectationSuiteSpec};
use bedplate_lake::quality::{self, Program, References};
use bedplate_lake::schema::Conform;
use bedplate_types::Digest;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use sha2::{Digest as _, Sha256};
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use super::{Ingest, IngestError, reject};
use crate::delta::{DataFile, DataFileWriter, Record};

const BATCH_ROWS: usize = 8 * 1024;

/// Held as long as somebody may write to the table's folder.
pub(super) type WriterLock = Arc<OwnedMutexGuard<()>>;

/// Where rows go: the table's folder, and the version they are meant for.
pub(super) struct Targets {
    pub accepted: (PathBuf, i64),
    pub rejected: (PathBuf, i64),
}

pub(super) struct Scan {
    source: PathBuf,
    spec: DatasetSpec,
    suite: ExpectationSuiteSpec,
    references: References,
    input: Digest,
    targets: Targets,
    cancel: CancellationToken,
    _writing: WriterLock,
}

/// The files are there and no version has them yet.
pub(super) struct Scanned {
    pub schema: SchemaRef,
    pub accepted: Option<DataFile>,
    pub rejected: Option<DataFile>,
    rows_read: u64,
    source_digest: Digest,
    outcomes: Vec<ExpectationOutcome>,
}

impl Scan {
    pub fn new(ingest: &Ingest<'_>, targets: Targets, cancel: CancellationToken, writing: WriterLock) -> Self {
        Self {
            source: ingest.source.to_owned(),
            spec: ingest.spec.clone(),
            suite: ingest.suite.cloned().unwrap_or(ExpectationSuiteSpec { expectations: Vec::new() }),
            references: ingest.references.clone(),
            input: ingest.input_digest,
            targets,
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
        let (reader, source_digest) = self.open()?;
        let path = self.source.clone();
        let conform = Conform::compile(&arrow::array::RecordBatchReader::schema(&reader), &self.spec)
            .map_err(|source| IngestError::Schema { path, source })?;
        let mut program = Program::compile(&self.suite, &self.spec, &self.references)?;
        let mut sinks = Sinks::new(&self, conform.schema().clone())?;
        let mut rows = 0;
        for batch in reader {
            self.check_cancelled()?;
            let batch = batch.map_err(|error| self.not_parquet(error))?;
            let batch = conform.apply(&batch).map_err(|source| self.value(rows, source))?;
            sinks.take(&batch, &mut program, rows)?;
            rows += batch.num_rows() as u64;
        }
        self.check_cancelled()?;
        let outcomes = program.finish();
        if quality::blocking(&outcomes).next().is_some() {
            return Err(IngestError::Blocked { path: self.source, outcomes });
        }
        let schema = sinks.schema.clone();
        let (accepted, rejected) = sinks.finish()?;
        Ok(Scanned { schema, accepted, rejected, rows_read: rows, source_digest, outcomes })
    }

    /// The digest and the rows come from the same open file: replacing the source meanwhile mixes nothing.
    fn open(&self) -> Result<(ParquetRecordBatchReader, Digest), IngestError> {
        let failed = |source| IngestError::Open { path: self.source.clone(), source };
        let mut file = File::open(&self.source).map_err(failed)?;
        let mut hash = Hash(Sha256::new());
        io::copy(&mut file, &mut hash).and_then(|_| file.rewind()).map_err(failed)?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| self.not_parquet(error))?;
        let reader = builder.with_batch_size(BATCH_ROWS).build().map_err(|error| self.not_parquet(error))?;
        Ok((reader, Digest::from_sha256(hash.0.finalize().into())))
    }

    fn check_cancelled(&self) -> Result<(), IngestError> {
        if self.cancel.is_cancelled() {
            return Err(IngestError::Cancelled { path: self.source.clone() });
        }
        Ok(())
    }

    fn not_parquet(&self, error: impl std::fmt::Display) -> IngestError {
        IngestError::NotParquet { path: self.source.clone(), why: error.to_string() }
    }

    fn value(&self, row: u64, source: arrow::error::ArrowError) -> IngestError {
        IngestError::Value { path: self.source.clone(), row, source }
    }
}

impl Scanned {
    pub fn record(&self, input_digest: Digest) -> Record {
        let rows = |file: &Option<DataFile>| file.as_ref().map_or(0, |file| file.rows);
        Record {
            input_digest,
            source_digest: self.source_digest,
            rows_read: self.rows_read,
            rows: rows(&self.accepted),
            quarantined: rows(&self.rejected),
            bytes: self.accepted.as_ref().map_or(0, |file| file.bytes),
            file: self.accepted.as_ref().map(|file| file.name.clone()),
            outcomes: self.outcomes.clone(),
            released: Vec::new(),
            review: None,
        }
    }
}

/// The two files that rows go to; the second is made when the first bad row comes.
struct Sinks<'a> {
    scan: &'a Scan,
    schema: SchemaRef,
    accepted: DataFileWriter,
    rejected: Option<DataFileWriter>,
}

impl<'a> Sinks<'a> {
    fn new(scan: &'a Scan, schema: SchemaRef) -> Result<Self, IngestError> {
        let (dir, version) = &scan.targets.accepted;
        let accepted = DataFileWriter::create(dir, *version, &scan.input, schema.clone())?;
        Ok(Self { scan, schema, accepted, rejected: None })
    }

    fn take(&mut self, batch: &RecordBatch, program: &mut Program, before: u64) -> Result<(), IngestError> {
        let verdict = program.observe(batch)?;
        if verdict.rejected.is_empty() {
            return Ok(self.accepted.write(batch)?);
        }
        let failed = |error| IngestError::Quality(error_of(error));
        self.accepted.write(&filter_record_batch(batch, &verdict.keep).map_err(failed)?)?;
        let schema = reject::schema(&self.schema);
        let rows = reject::rejected(batch, &verdict, &schema, before).map_err(failed)?;
        Ok(self.quarantine(schema)?.write(&rows)?)
    }

    fn quarantine(&mut self, schema: SchemaRef) -> Result<&mut DataFileWriter, IngestError> {
        if let Some(ref mut writer) = self.rejected {
            return Ok(writer);
        }
        let (dir, version) = &self.scan.targets.rejected;
        let writer = DataFileWriter::create(dir, *version, &self.scan.input, schema)?;
        Ok(self.rejected.insert(writer))
    }

    fn finish(self) -> Result<(Option<DataFile>, Option<DataFile>), IngestError> {
        let rejected = self.rejected.map(DataFileWriter::finish).transpose()?;
        Ok((self.accepted.finish()?, rejected.flatten()))
    }
}

fn error_of(error: arrow::error::ArrowError) -> quality::QualityError {
    quality::QualityError::Batch(error)
}

struct Hash(Sha256);

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
