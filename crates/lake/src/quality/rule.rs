//! One compiled expectation and what it has seen so far.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::error::ArrowError;
use bedplate_kinds::{ExpectationOutcome, Severity};

use super::RowCondition;
use super::anomaly::Anomaly;
use super::evidence::{Evidence, values};
use super::increasing::Increasing;
use super::measure::Measure;
use super::row_check::{RowCheck, without_nulls};
use super::series::Series;
use super::told::{Limits, Told};
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
    Condition { condition: Arc<dyn RowCondition>, columns: Vec<usize> },
    Unique(Unique),
    Increasing(Increasing),
    RowCount(Limits),
    Series(Series),
    Measure { column: usize, measure: Measure },
    Anomaly(Anomaly),
}

impl Rule {
    /// The rows of this batch that fail, or none for a check on the whole table; `before` rows came earlier.
    pub fn observe(&mut self, batch: &RecordBatch, before: u64) -> Result<Option<BooleanBuffer>, ArrowError> {
        let (mask, columns) = match &mut self.test {
            Test::Row { column, check } => (check.failing(batch.column(*column))?, std::slice::from_ref(&*column)),
            Test::Condition { condition, columns } => (not_met(&**condition, batch)?, &columns[..]),
            Test::Unique(unique) => (unique.failing(batch)?, unique.columns()),
            Test::Increasing(increasing) => {
                (increasing.failing(batch.column(increasing.column))?, std::slice::from_ref(&increasing.column))
            }
            Test::Series(series) => return series.observe(batch).map(|()| None),
            Test::Measure { column, measure } => return measure.observe(batch.column(*column)).map(|()| None),
            Test::RowCount(_) | Test::Anomaly(_) => return Ok(None),
        };
        let failing = mask.count_set_bits() as u64;
        if failing == 0 {
            return Ok(None);
        }
        self.failing += failing;
        if self.first.is_none() {
            let first = mask.set_indices().next();
            self.first = first.map(|row| Evidence { row: before + row as u64, values: values(batch, columns, row) });
        }
        Ok(Some(mask))
    }

    /// Adds what the same rule saw of later rows, of which `before` came earlier; false when it is another rule.
    pub fn merge(&mut self, later: Self, before: u64) -> bool {
        let across = match (&mut self.test, later.test) {
            (Test::Unique(mine), Test::Unique(later)) => mine.merge(later),
            (Test::Increasing(mine), Test::Increasing(later)) => mine.merge(&later),
            (Test::Series(mine), Test::Series(later)) => {
                mine.merge(later);
                0
            }
            (Test::Measure { measure: mine, .. }, Test::Measure { measure: later, .. }) => {
                if !mine.merge(later) {
                    return false;
                }
                0
            }
            (mine, later) if std::mem::discriminant(mine) == std::mem::discriminant(&later) => 0,
            _ => return false,
        };
        self.failing += later.failing + across;
        let shifted = later.first.map(|first| Evidence { row: before + first.row, ..first });
        self.first = self.first.take().or(shifted);
        true
    }

    /// `rows` were seen; `observed` tells what another expectation of the suite observed.
    pub fn finish(self, rows: u64, observed: impl Fn(&str) -> Option<f64>) -> ExpectationOutcome {
        let (failing, mostly, first) = (self.failing, self.mostly, self.first);
        let told = match self.test {
            Test::RowCount(limits) => row_count(limits, rows),
            Test::Series(series) => {
                let gaps = series.finish();
                of_share(gaps.missing, gaps.expected, mostly, gaps.detail)
            }
            Test::Measure { measure, .. } => measure.told(),
            Test::Anomaly(anomaly) => anomaly.told(observed(&anomaly.of)),
            Test::Row { .. } | Test::Condition { .. } | Test::Unique(_) | Test::Increasing(_) => {
                of_share(failing, rows, mostly, detail(failing, rows, mostly, first.as_ref()))
            }
        };
        ExpectationOutcome {
            name: self.name.to_string(),
            severity: self.severity,
            passed: told.passed,
            failing: told.failing,
            observed: told.observed,
            value: told.value,
            detail: told.detail,
        }
    }
}

fn not_met(condition: &dyn RowCondition, batch: &RecordBatch) -> Result<BooleanBuffer, ArrowError> {
    let met = condition.met(batch)?;
    if met.len() != batch.num_rows() {
        return Err(ArrowError::ComputeError("the condition has not one answer for each row".into()));
    }
    Ok(without_nulls(!met.values(), met.nulls()))
}

fn row_count(limits: Limits, rows: u64) -> Told {
    let count = rows as f64;
    let few = limits.min.map_or(0.0, |min| min - count);
    let many = limits.max.map_or(0.0, |max| count - max);
    let detail = format!("{rows} rows{}", limits.expected());
    // How many rows too few or too many there are; `as` saturates at 0.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole, positive number of rows")]
    let failing = few.max(many).max(0.0) as u64;
    Told { failing, observed: rows, ..Told::whole(limits.have(count), rows, count, detail) }
}

fn of_share(failing: u64, observed: u64, mostly: f64, detail: String) -> Told {
    let value = if observed == 0 { 0.0 } else { failing as f64 / observed as f64 };
    Told { failing, ..Told::whole(share_passes(failing, observed, mostly), observed, value, detail) }
}

fn share_passes(failing: u64, observed: u64, mostly: f64) -> bool {
    failing == 0 || (observed - failing.min(observed)) as f64 / observed as f64 >= mostly
}

fn detail(failing: u64, rows: u64, mostly: f64, first: Option<&Evidence>) -> String {
    if failing == 0 {
        return format!("all {rows} rows passed");
    }
    let required = if mostly < 1.0 { format!("; {}% must pass", mostly * 100.0) } else { String::new() };
    let first = first.map(|Evidence { row, values }| format!(", the first is row {row} with {values}"));
    format!("{failing} of {rows} rows failed{}{required}", first.unwrap_or_default())
}
