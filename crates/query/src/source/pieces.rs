//! Rows a piece at a time, so that memory does not grow with the file.

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use bedplate_kinds::{DatasetSpec, Format};
use bedplate_lake::read::{Fault, Rows, RowsRead, Zone};
use bedplate_lake::schema::Conform;
use bedplate_lake::source::layout;

use super::{Opened, SourceError, arrow as arrow_ipc, csv, jsonl, parquet};

/// Rows of a piece at most.
pub(crate) const BATCH_ROWS: usize = 8 * 1024;
/// Bytes of text after which a piece ends, however few rows it has.
const BATCH_BYTES: usize = 8 << 20;
/// A row of text is not longer; what seems so is a quote that nobody closed.
pub(super) const MOST_ROW_BYTES: usize = 16 << 20;

/// Rows with the declared columns.
pub(crate) struct Piece {
    pub batch: RecordBatch,
    /// The rows of it that cannot be taken.
    pub faults: Vec<Fault>,
}

pub(crate) type Pieces<'a> = Box<dyn Iterator<Item = Result<Piece, SourceError>> + 'a>;

/// What the files of one source are read as.
pub(crate) struct Reading<'a> {
    pub spec: &'a DatasetSpec,
    pub zone: Zone,
    /// Of a Delta table: its columns.
    pub table: Option<SchemaRef>,
}

impl<'a> Reading<'a> {
    pub fn new(spec: &'a DatasetSpec, table: Option<SchemaRef>) -> Result<Self, SourceError> {
        Ok(Self { spec, zone: Zone::named(spec.source.time_zone.as_deref())?, table })
    }

    pub(super) fn rows(&self) -> Rows {
        Rows::new(self.spec, self.zone.clone())
    }
}

impl Opened {
    /// The file's rows. Its columns are checked before the first of them is read.
    pub fn pieces<'a>(&'a self, reading: &'a Reading<'a>) -> Result<Pieces<'a>, SourceError> {
        if reading.table.is_some() {
            return parquet::pieces(self, reading);
        }
        if reading.spec.source.postgres.is_some() {
            return arrow_ipc::pieces(self, reading);
        }
        let layout = layout(&self.entry.path, &reading.spec.source)?;
        match layout.format {
            Format::Parquet | Format::Delta => parquet::pieces(self, reading),
            Format::Arrow => arrow_ipc::pieces(self, reading),
            Format::Csv => csv::pieces(self, layout, reading),
            Format::Jsonl => jsonl::pieces(self, layout, reading),
        }
    }

    pub(super) fn broken(&self, format: Format, line: Option<u64>, why: impl ToString) -> SourceError {
        SourceError::Broken { path: self.path.clone(), format, line, why: why.to_string() }
    }

    pub(super) fn conform(&self, columns: &Schema, spec: &DatasetSpec) -> Result<Conform, SourceError> {
        Conform::compile(columns, spec).map_err(|source| SourceError::Schema { path: self.path.clone(), source })
    }

    /// The pieces of a format whose values have types.
    pub(super) fn conformed<'a>(
        &'a self,
        conform: Conform,
        batches: impl Iterator<Item = Result<RecordBatch, SourceError>> + 'a,
    ) -> Pieces<'a> {
        let mut before = 0;
        Box::new(batches.map(move |batch| {
            let batch = batch?;
            let value = |source| SourceError::Value { path: self.path.clone(), row: before, source };
            let batch = conform.apply(&batch).map_err(value)?;
            before += batch.num_rows() as u64;
            Ok(Piece { batch, faults: Vec::new() })
        }))
    }
}

/// A text that gives its rows one after the other.
pub(super) trait Lines {
    /// Puts the next row into `rows`; false when there is none.
    fn next(&mut self, rows: &mut Rows) -> Result<bool, SourceError>;
    fn broken(&self, why: String) -> SourceError;
}

pub(super) fn gathered<'a>(mut lines: impl Lines + 'a, mut rows: Rows) -> Pieces<'a> {
    Box::new(std::iter::from_fn(move || gather(&mut lines, &mut rows).transpose()))
}

fn gather(lines: &mut impl Lines, rows: &mut Rows) -> Result<Option<Piece>, SourceError> {
    while rows.len() < BATCH_ROWS && rows.bytes() < BATCH_BYTES && lines.next(rows)? {}
    if rows.is_empty() {
        return Ok(None);
    }
    let RowsRead { batch, faults } = rows.take().map_err(|error| lines.broken(error.to_string()))?;
    Ok(Some(Piece { batch, faults }))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use serde_json::json;

    use super::*;

    /// The pieces of a file: rows and bytes of each.
    fn check(name: &str, text: &[u8], rows: usize, most_pieces: usize) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let mut encoder =
            flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap();
        let spec = json!({"owner": "a", "source": {"path": "x"}, "schema": [{"name": "s", "type": "string"}]});
        let spec = serde_json::from_value(spec).unwrap();
        let (opened, reading) =
            (Opened::new(&path, &crate::source::HashedFiles::new()).unwrap(), Reading::new(&spec, None).unwrap());
        let pieces: Vec<Piece> = opened.pieces(&reading).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(pieces.iter().map(|piece| piece.batch.num_rows()).sum::<usize>(), rows);
        assert!(pieces.len() <= most_pieces, "{name}: {}", pieces.len());
        for piece in &pieces {
            let bytes = piece.batch.get_array_memory_size();
            assert!(piece.batch.num_rows() <= BATCH_ROWS && bytes < 3 * BATCH_BYTES, "{name}: {bytes}");
        }
    }

    #[test]
    fn a_piece_is_bounded_in_rows_and_in_bytes() {
        let long = "y".repeat(1 << 20);
        check("long.jsonl.gz", format!("{{\"s\":\"{long}\"}}\n").repeat(50).as_bytes(), 50, 7);
        check("long.csv.gz", format!("s\n{}", format!("{long}\n").repeat(50)).as_bytes(), 50, 7);
        check("many.csv.gz", format!("s\n{}", "y\n".repeat(100_000)).as_bytes(), 100_000, 13);
    }
}
