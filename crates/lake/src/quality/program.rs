//! The program: all rules of a suite over each batch, once.

use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use bedplate_kinds::{DatasetSpec, ExpectationOutcome, ExpectationSuiteSpec, Over};

use super::rule::{Rule, Test};
use super::{QualityError, References, TableState, compile};
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

    /// Whether an expectation is about the rows that are in the table too.
    #[must_use]
    pub fn is_over_table(&self) -> bool {
        self.rules.iter().any(over_table)
    }

    /// Goes on from what was seen of the rows that are in the table, before any row of the load.
    ///
    /// # Errors
    /// It was compiled of another suite.
    pub fn follow(&mut self, state: TableState) -> Result<(), QualityError> {
        let mut earlier = state.rules.into_iter();
        for rule in self.rules.iter_mut().filter(|rule| over_table(rule)) {
            let same = earlier.next().filter(|earlier| earlier.name == rule.name);
            rule.follow(same.ok_or(QualityError::NotAlike)?);
        }
        earlier.next().map_or(Ok(()), |_| Err(QualityError::NotAlike))
    }

    /// Judges the next batch, which has the declared columns and types ([`crate::schema::Conform`] makes it so).
    pub fn observe(&mut self, batch: &RecordBatch) -> Result<Verdict, QualityError> {
        self.observe_with_known(batch, None)
    }

    /// The same, where only the rows that are `new` are meant for the table: expectations over it are not about the others.
    pub fn observe_with_known(
        &mut self,
        batch: &RecordBatch,
        new: Option<&BooleanArray>,
    ) -> Result<Verdict, QualityError> {
        self.check_schema(batch)?;
        let before = self.rows;
        let mut judged = Judged { keep: BooleanBuffer::new_set(batch.num_rows()), masks: Vec::new() };
        for rule in self.rules.iter_mut().filter(|rule| !over_table(rule)) {
            if let (Some(failing), true) = (rule.observe(batch, |row| before + row as u64)?, rule.rejects()) {
                judged.reject(rule, failing);
            }
        }
        let new = new.map(|new| new.values().clone());
        // Those that reject rows first: the others are about what is left.
        let mut part = Part::of(batch, &judged.keep, new.as_ref())?;
        for rejects in [true, false] {
            for rule in self.rules.iter_mut().filter(|rule| over_table(rule) && rule.rejects() == rejects) {
                let failing = rule.observe(&part.batch, |row| before + part.place(row) as u64)?;
                if let (Some(failing), true) = (failing, rejects) {
                    judged.reject(rule, part.spread(&failing, batch.num_rows()));
                    part = Part::of(batch, &judged.keep, new.as_ref())?;
                }
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(judged.verdict())
    }

    /// How every expectation fared, in the suite's order.
    #[must_use]
    pub fn finish(self) -> Vec<ExpectationOutcome> {
        let told = self.rules.into_iter().filter(|rule| !rule.implied || rule.failing > 0);
        let is_anomaly = |rule: &Rule| matches!(rule.test, Test::Anomaly(_));
        // An anomaly check looks at what the others observed.
        let (last, first): (Vec<_>, Vec<_>) = told.enumerate().partition(|(_, rule)| is_anomaly(rule));
        let first: Vec<_> = first.into_iter().map(|(place, rule)| (place, rule.finish(|_| None))).collect();
        let observed = |of: &str| first.iter().find(|(_, outcome)| outcome.name == of)?.1.value;
        let last: Vec<_> = last.into_iter().map(|(place, rule)| (place, rule.finish(observed))).collect();
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

pub(super) fn over_table(rule: &Rule) -> bool {
    rule.over == Over::Table
}

/// What has come of a batch so far.
struct Judged {
    keep: BooleanBuffer,
    masks: Vec<(Arc<str>, BooleanBuffer)>,
}

impl Judged {
    fn reject(&mut self, rule: &Rule, failing: BooleanBuffer) {
        self.keep = &self.keep & &!&failing;
        self.masks.push((rule.name.clone(), failing));
    }

    fn verdict(self) -> Verdict {
        let failing = if self.masks.is_empty() { None } else { Some(!&self.keep) };
        let failing = failing.iter().flat_map(BooleanBuffer::set_indices);
        let rejected = failing.map(|row| Rejected { row, reasons: self.reasons(row) }).collect();
        Verdict { keep: BooleanArray::new(self.keep, None), rejected }
    }

    fn reasons(&self, row: usize) -> Vec<Arc<str>> {
        self.masks.iter().filter(|(_, failing)| failing.value(row)).map(|(name, _)| name.clone()).collect()
    }
}

/// Some rows of a batch.
struct Part {
    batch: RecordBatch,
    /// Their places in it; none where it is all of them.
    places: Option<Vec<usize>>,
}

impl Part {
    fn of(batch: &RecordBatch, keep: &BooleanBuffer, new: Option<&BooleanBuffer>) -> Result<Self, ArrowError> {
        let rows = new.map_or_else(|| keep.clone(), |new| keep & new);
        if rows.count_set_bits() == rows.len() {
            return Ok(Self { batch: batch.clone(), places: None });
        }
        let places = rows.set_indices().collect();
        let batch = filter_record_batch(batch, &BooleanArray::new(rows, None))?;
        Ok(Self { batch, places: Some(places) })
    }

    fn place(&self, row: usize) -> usize {
        self.places.as_ref().map_or(row, |places| places[row])
    }

    /// The same rows of the whole batch, which has so many.
    fn spread(&self, rows: &BooleanBuffer, all: usize) -> BooleanBuffer {
        let Some(places) = &self.places else { return rows.clone() };
        let mut spread = vec![false; all];
        rows.set_indices().for_each(|row| spread[places[row]] = true);
        spread.into()
    }
}
