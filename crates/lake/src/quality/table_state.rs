//! What expectations over the table know of the rows that are in it: the states of its data files, merged.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use bedplate_kinds::{DatasetSpec, ExpectationSuiteSpec, Over};

use super::kept::Kept;
use super::rule::Rule;
use super::{QualityError, References, compile};

/// What the expectations over the table have seen of it so far, in the suite's order. It is a function of the rows in each
/// file: whether a file was read or what it holds had been kept changes no bit.
#[derive(Debug)]
pub struct TableState {
    pub(super) rules: Vec<Rule>,
    columns: usize,
}

/// What one data file adds: what was kept of it, and what its rows are read for.
#[derive(Debug)]
pub struct FileState<'a> {
    table: &'a mut TableState,
    kept: Kept,
    /// Of what was not kept.
    missing: Vec<Rule>,
}

impl TableState {
    /// Before any file.
    pub fn compile(
        suite: &ExpectationSuiteSpec,
        spec: &DatasetSpec,
        references: &References,
    ) -> Result<Self, QualityError> {
        let over_table = suite.expectations.iter().filter(|expectation| expectation.over == Over::Table);
        let rules = over_table.map(|expectation| compile::rule(expectation, spec, references));
        Ok(Self { rules: rules.collect::<Result<_, _>>()?, columns: spec.schema.len() })
    }

    /// Begins with a file of which `kept` was kept; what does not belong to the suite is left out.
    pub fn file(&mut self, kept: Kept) -> FileState<'_> {
        let (mut fitting, mut missing) = (Kept::default(), Vec::new());
        for (mut fresh, key) in self.rules.iter().filter_map(|rule| Some((rule.fresh()?, rule.key.clone()?))) {
            match kept.0.get(&key) {
                Some(known) if fresh.add(known) => drop(fitting.0.insert(key, known.clone())),
                _ => missing.push(fresh),
            }
        }
        FileState { table: self, kept: fitting, missing }
    }
}

impl FileState<'_> {
    /// The declared columns whose values are needed of the file; none where it need not be read.
    #[must_use]
    pub fn columns(&self) -> Option<BTreeSet<usize>> {
        let mut reading = self.table.rules.iter().filter(|rule| rule.key.is_none()).chain(&self.missing).peekable();
        reading.peek()?;
        Some(reading.flat_map(|rule| rule.test.columns(self.table.columns)).collect())
    }

    /// Takes in rows of the file. They have the declared columns; those that are not needed may hold anything.
    pub fn observe(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let unkept = self.table.rules.iter_mut().filter(|rule| rule.key.is_none());
        unkept.chain(&mut self.missing).try_for_each(|rule| rule.recall(batch))
    }

    /// Adds the file to the table's state; what is to be kept of it, and whether any of that is new.
    ///
    /// # Errors
    /// A state that does not fit its own rule.
    pub fn finish(mut self) -> Result<(Kept, bool), QualityError> {
        let read = !self.missing.is_empty();
        for mut rule in self.missing {
            let kept = rule.kept();
            self.kept.0.extend(rule.key.map(|key| (key, kept)));
        }
        for rule in &mut self.table.rules {
            let Some(key) = &rule.key else { continue };
            let known = self.kept.0.get(key).ok_or(QualityError::NotAlike)?;
            if !rule.add(known) {
                return Err(QualityError::NotAlike);
            }
        }
        Ok((self.kept, read))
    }
}
