//! The program: all rules of a suite over each batch, once.

use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use bedplate_kinds::{DatasetSpec, ExpectationOutcome, ExpectationSuiteSpec, Severity};

use super::rule::{Rule, Test};
use super::{QualityError, References, compile};
use crate::schema::arrow_schema;

/// A compiled suite and what it has seen so far.
#[derive(Debug)]
pub struct Program {
    schema: SchemaRef,
    rules: Vec<Rule>,
    rows: u64,
}

/// What a batch's rows came to.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// True for the rows that go on; no nulls.
    pub keep: BooleanArray,
    /// The rows that do not, in order.
    pub rejected: Vec<Rejected>,
}

/// A row that goes to quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Position in the batch.
    pub row: usize,
    /// The expectations it did not meet, in the suite's order.
    pub reasons: Vec<Arc<str>>,
}

impl Program {
    /// Checks the suite against the declared columns. `references` holds what the suite refers to outside the rows.
    pub fn compile(
        suite: &ExpectationSuiteSpec,
        spec: &DatasetSpec,
        references: &References,
    ) -> Result<Self, QualityError> {
        let declared = suite.expectations.iter().map(|expectation| compile::rule(expectation, spec, references));
        let mut rules = declared.collect::<Result<Vec<Rule>, _>>()?;
        rules.extend(compile::implied_rules(spec));
        Ok(Self { schema: arrow_schema(spec), rules, rows: 0 })
    }

    /// Judges the next batch, which has the declared columns and types ([`crate::schema::Conform`] makes it so).
    pub fn observe(&mut self, batch: &RecordBatch) -> Result<Verdict, QualityError> {
        self.check_schema(batch)?;
        let mut keep = BooleanBuffer::new_set(batch.num_rows());
        let mut masks: Vec<(Arc<str>, BooleanBuffer)> = Vec::new();
        for rule in &mut self.rules {
            if let (Some(failing), Severity::Quarantine) = (rule.observe(batch, self.rows)?, rule.severity) {
                keep = &keep & &!&failing;
                masks.push((rule.name.clone(), failing));
            }
        }
        self.rows += batch.num_rows() as u64;
        let failing = if masks.is_empty() { None } else { Some(!&keep) };
        let failing = failing.iter().flat_map(BooleanBuffer::set_indices);
        let rejected = failing.map(|row| Rejected { row, reasons: reasons(&masks, row) }).collect();
        Ok(Verdict { keep: BooleanArray::new(keep, None), rejected })
    }

    /// Adds what `later`, compiled alike, saw of the rows after these: a state that is merged with another's. Every
    /// exact check then counts as if it had seen all rows itself. Which row was the first to fail is not known where it
    /// failed only because of rows that `later` did not see (`unique`, `increasing`).
    ///
    /// # Errors
    /// The other was compiled of another suite or schema; what this one saw is then of no use any more.
    pub fn merge(&mut self, later: Self) -> Result<(), QualityError> {
        let mut alike = self.schema == later.schema && self.rules.len() == later.rules.len();
        for (rule, later) in self.rules.iter_mut().zip(later.rules) {
            alike = alike && rule.name == later.name && rule.merge(later, self.rows);
        }
        if !alike {
            return Err(QualityError::NotAlike);
        }
        self.rows += later.rows;
        Ok(())
    }

    /// How every expectation fared, in the suite's order.
    #[must_use]
    pub fn finish(self) -> Vec<ExpectationOutcome> {
        let rows = self.rows;
        let told = self.rules.into_iter().filter(|rule| !rule.implied || rule.failing > 0);
        let is_anomaly = |rule: &Rule| matches!(rule.test, Test::Anomaly(_));
        // An anomaly check looks at what the others observed.
        let (last, first): (Vec<_>, Vec<_>) = told.enumerate().partition(|(_, rule)| is_anomaly(rule));
        let first: Vec<_> = first.into_iter().map(|(place, rule)| (place, rule.finish(rows, |_| None))).collect();
        let observed = |of: &str| first.iter().find(|(_, outcome)| outcome.name == of)?.1.value;
        let last: Vec<_> = last.into_iter().map(|(place, rule)| (place, rule.finish(rows, observed))).collect();
        let mut all = [first, last].concat();
        all.sort_unstable_by_key(|(place, _)| *place);
        all.into_iter().map(|(_, outcome)| outcome).collect()
    }

    fn check_schema(&self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let schema = batch.schema_ref();
        let same = schema.fields().len() == self.schema.fields().len()
            && schema
                .fields()
                .iter()
                .zip(self.schema.fields())
                .all(|(a, b)| a.name() == b.name() && a.data_type() == b.data_type());
        if same {
            return Ok(());
        }
        Err(ArrowError::SchemaError("the batch does not have the columns the suite was compiled for".into()))
    }
}

fn reasons(masks: &[(Arc<str>, BooleanBuffer)], row: usize) -> Vec<Arc<str>> {
    masks.iter().filter(|(_, failing)| failing.value(row)).map(|(name, _)| name.clone()).collect()
}
