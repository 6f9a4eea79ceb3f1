//! One compiled expectation and what it has seen so far.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::BooleanBuffer;
use arrow::error::ArrowError;
use bedplate_kinds::{ExpectationOutcome, RowCount, Severity};

use super::evidence::{Evidence, values};
use super::row_check::RowCheck;
use super::series::Series;
use super::unique::Unique;

#[derive(Debug)]
pub(super) struct Rule {
    pub name: Arc<str>,
    pub severity: Severity,
    /// The share of rows that must pass.
    pub mostly: f64,
    pub test: Test,
    /// It comes from the schema and is told of only when a row fails.
    pub implied: bool,
    pub failing: u64,
    pub first: Option<Evidence>,
}

#[derive(Debug)]
pub(super) enum Test {
    Row { column: usize, check: RowCheck },
    Unique(Unique),
    RowCount(RowCount),
    Series(Series),
}

impl Rule {
    /// The rows of this batch that fail, or none for a check on the whole table; `before` rows came earlier.
    pub fn observe(&mut self, batch: &RecordBatch, before: u64) -> Result<Option<BooleanBuffer>, ArrowError> {
        let (mask, columns) = match &mut self.test {
            Test::Row { column, check } => (check.failing(batch.column(*column))?, vec![*column]),
            Test::Unique(unique) => (unique.failing(batch)?, unique.columns().to_vec()),
            Test::Series(series) => return series.observe(batch).map(|()| None),
            Test::RowCount(_) => return Ok(None),
        };
        self.count(&mask, batch, &columns, before);
        Ok(Some(mask))
    }

    fn count(&mut self, mask: &BooleanBuffer, batch: &RecordBatch, columns: &[usize], before: u64) {
        self.failing += mask.count_set_bits() as u64;
        if self.first.is_some() {
            return;
        }
        if let Some(row) = mask.set_indices().next() {
            self.first = Some(Evidence { row: before + row as u64, values: values(batch, columns, row) });
        }
    }

    pub fn finish(self, rows: u64) -> ExpectationOutcome {
        let outcome = |passed, failing, observed, detail| ExpectationOutcome {
            name: self.name.to_string(),
            severity: self.severity,
            passed,
            failing,
            observed,
            detail,
        };
        match self.test {
            Test::RowCount(bounds) => {
                let passed = bounds.min.is_none_or(|min| rows >= min) && bounds.max.is_none_or(|max| rows <= max);
                outcome(passed, distance(&bounds, rows), rows, row_count_detail(&bounds, rows))
            }
            Test::Series(series) => {
                let gaps = series.finish();
                let passed = share_passes(gaps.missing, gaps.expected, self.mostly);
                outcome(passed, gaps.missing, gaps.expected, gaps.detail)
            }
            Test::Row { .. } | Test::Unique(_) => {
                let passed = share_passes(self.failing, rows, self.mostly);
                outcome(passed, self.failing, rows, detail(self.failing, rows, self.mostly, self.first.as_ref()))
            }
        }
    }
}

/// How many rows too few or too many there are.
fn distance(bounds: &RowCount, rows: u64) -> u64 {
    let few = bounds.min.map_or(0, |min| min.saturating_sub(rows));
    let many = bounds.max.map_or(0, |max| rows.saturating_sub(max));
    few.max(many)
}

#[expect(clippy::cast_precision_loss, reason = "a share of more than 2^53 rows is not at stake")]
fn share_passes(failing: u64, observed: u64, mostly: f64) -> bool {
    failing == 0 || (observed - failing.min(observed)) as f64 / observed as f64 >= mostly
}

fn detail(failing: u64, rows: u64, mostly: f64, first: Option<&Evidence>) -> String {
    let required = if mostly < 1.0 { format!("; {}% must pass", mostly * 100.0) } else { String::new() };
    match first {
        None => format!("all {rows} rows passed"),
        Some(Evidence { row, values }) => {
            format!("{failing} of {rows} rows failed, the first is row {row} with {values}{required}")
        }
    }
}

fn row_count_detail(bounds: &RowCount, rows: u64) -> String {
    let bound = |word: &str, bound: Option<u64>| bound.map(|bound| format!("{word} {bound}"));
    let bounds: Vec<String> =
        [bound("at least", bounds.min), bound("at most", bounds.max)].into_iter().flatten().collect();
    if bounds.is_empty() {
        return format!("{rows} rows");
    }
    format!("{rows} rows, expected {}", bounds.join(" and "))
}
