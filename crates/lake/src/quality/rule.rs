//! One compiled expectation and what it has seen so far.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::error::ArrowError;
use bedplate_kinds::{ExpectationOutcome, Over, Severity};

use super::RowCondition;
use super::anomaly::Anomaly;
use super::evidence::{Evidence, values};
use super::increasing::Increasing;
use super::kept::{KeptRule, Number, Seen};
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
    pub over: Over,
    /// Stands for the test in what is kept of a table's files; none where nothing is.
    pub key: Option<String>,
    /// How many it was shown.
    pub rows: u64,
    pub failing: u64,
    pub first: Option<Evidence>,
}

#[derive(Debug)]
pub(super) enum Test {
    Row { column: usize, check: Arc<RowCheck> },
    Condition { condition: Arc<dyn RowCondition>, columns: Vec<usize> },
    Unique(Unique),
    Increasing(Increasing),
    RowCount(Limits),
    Series(Series),
    Measure { column: usize, measure: Measure },
    Anomaly(Anomaly),
}

impl Test {
    /// The columns it looks at, of a table of so many: a condition may look at any.
    pub fn columns(&self, all: usize) -> Box<dyn Iterator<Item = usize> + '_> {
        match self {
            Self::Row { column, .. } | Self::Measure { column, .. } => Box::new(std::iter::once(*column)),
            Self::Condition { .. } => Box::new(0..all),
            Self::Unique(unique) => Box::new(unique.columns().iter().copied()),
            Self::Increasing(increasing) => Box::new(std::iter::once(increasing.column)),
            Self::Series(series) => Box::new(series.columns()),
            Self::RowCount(_) | Self::Anomaly(_) => Box::new(std::iter::empty()),
        }
    }

    /// The same before it saw anything, where it is of those that are kept.
    fn fresh(&self) -> Option<Self> {
        Some(match self {
            Self::Row { column, check } => Self::Row { column: *column, check: check.clone() },
            Self::Condition { condition, columns } => {
                Self::Condition { condition: condition.clone(), columns: columns.clone() }
            }
            Self::Increasing(increasing) => Self::Increasing(increasing.fresh()),
            Self::RowCount(limits) => Self::RowCount(*limits),
            Self::Measure { column, measure } => Self::Measure { column: *column, measure: measure.fresh() },
            Self::Unique(_) | Self::Series(_) | Self::Anomaly(_) => return None,
        })
    }

    fn kept(&mut self) -> Seen {
        match self {
            Self::Increasing(increasing) => Seen::Greatest(increasing.stands_at().map(Number::from)),
            Self::Measure { measure, .. } => measure.kept(),
            _ => Seen::Rows,
        }
    }

    /// False where it is not what was kept of such a test; then nothing is added.
    fn add(&mut self, seen: &Seen) -> bool {
        match (self, seen) {
            (Self::Increasing(increasing), Seen::Greatest(value)) => increasing.stand_at(value.map(Into::into)),
            (Self::Measure { measure, .. }, seen) => return measure.add(seen),
            (Self::Row { .. } | Self::Condition { .. } | Self::RowCount(_), Seen::Rows) => {}
            _ => return false,
        }
        true
    }
}

impl Rule {
    /// The rows of this batch that fail, or none for a check on the whole table; `number` tells which row of the load one is.
    pub fn observe(
        &mut self,
        batch: &RecordBatch,
        number: impl Fn(usize) -> u64,
    ) -> Result<Option<BooleanBuffer>, ArrowError> {
        self.rows += batch.num_rows() as u64;
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
            self.first = first.map(|row| Evidence { row: number(row), values: values(batch, columns, row) });
        }
        Ok(Some(mask))
    }

    /// Takes in rows that are in the table, whose order is not known.
    pub fn recall(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        if let Test::Increasing(increasing) = &mut self.test {
            self.rows += batch.num_rows() as u64;
            return increasing.reach(batch.column(increasing.column));
        }
        self.observe(batch, |row| row as u64).map(drop)
    }

    /// Goes on from what the same rule saw of the rows that are in the table.
    pub fn follow(&mut self, earlier: Self) {
        *self = Self { first: None, ..earlier };
    }

    /// The same before it saw anything, where what it sees can be kept.
    pub fn fresh(&self) -> Option<Self> {
        self.key.as_ref()?;
        let (name, key, test) = (self.name.clone(), self.key.clone(), self.test.fresh()?);
        Some(Self { name, key, test, rows: 0, failing: 0, first: None, ..*self })
    }

    pub fn kept(&mut self) -> KeptRule {
        KeptRule { rows: self.rows, failing: self.failing, seen: self.test.kept() }
    }

    /// Adds what was kept of other rows; false where it is not of such a rule, and then nothing is added.
    pub fn add(&mut self, kept: &KeptRule) -> bool {
        let added = self.test.add(&kept.seen);
        if added {
            self.rows += kept.rows;
            self.failing += kept.failing;
        }
        added
    }

    /// Whether a row that fails does not go on.
    pub fn rejects(&self) -> bool {
        let on_rows =
            matches!(self.test, Test::Row { .. } | Test::Condition { .. } | Test::Unique(_) | Test::Increasing(_));
        on_rows && self.severity == Severity::Quarantine
    }

    /// `observed` tells what another expectation of the suite observed.
    pub fn finish(self, observed: impl Fn(&str) -> Option<f64>) -> ExpectationOutcome {
        let (rows, failing, mostly, first) = (self.rows, self.failing, self.mostly, self.first);
        let which = if self.over == Over::Table { ", of the whole table" } else { "" };
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
            detail: told.detail + which,
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
