//! How many rows broke which constraint, and the first of each.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::{Broken, ConstraintError, Constraints};

/// Judges rows, batch by batch.
pub(crate) struct Tally {
    constraints: Arc<Constraints>,
    /// Which rows they are, for people: `the rows that …`.
    which: &'static str,
    /// For each constraint.
    found: Vec<(u64, Option<String>)>,
}

/// A row that breaks constraints.
#[derive(Debug)]
pub(crate) struct Breach {
    /// By their places.
    pub constraints: Vec<usize>,
    /// Where it is, and what it has in the columns of the first of them; of some rows only.
    pub first: Option<String>,
}

impl Tally {
    pub fn new(constraints: Arc<Constraints>, which: &'static str) -> Self {
        let found = constraints.all().iter().map(|_| (0, None)).collect();
        Self { constraints, which, found }
    }

    /// `place` says where a row of the batch is.
    pub fn observe(&mut self, batch: &RecordBatch, place: impl Fn(usize) -> String) -> Result<(), ConstraintError> {
        for (at, rows) in self.constraints.broken(batch, self.which)? {
            let (count, first) = &mut self.found[at];
            *count += rows.count_set_bits() as u64;
            if let (None, Some(row)) = (&first, rows.set_indices().next()) {
                *first = Some(told(&place(row), &self.constraints.all()[at].values(batch, row)));
            }
        }
        Ok(())
    }

    /// The rows of a batch that break constraints; `few` of them are told of at most.
    pub fn breaches(
        constraints: &Constraints,
        batch: &RecordBatch,
        (which, few): (&'static str, usize),
        place: impl Fn(usize) -> String,
    ) -> Result<Vec<(usize, Breach)>, ConstraintError> {
        let broken = constraints.broken(batch, which)?;
        let mut breaches = std::collections::BTreeMap::<usize, Breach>::new();
        for (at, rows) in &broken {
            for row in rows.set_indices() {
                breaches.entry(row).or_insert(Breach { constraints: Vec::new(), first: None }).constraints.push(*at);
            }
        }
        for (row, breach) in breaches.iter_mut().take(few) {
            let values = breach.constraints.first().map(|at| constraints.all()[*at].values(batch, *row));
            breach.first = Some(told(&place(*row), &values.unwrap_or_default()));
        }
        Ok(breaches.into_iter().collect())
    }

    pub fn add(&mut self, breach: Breach) {
        for at in breach.constraints {
            let (count, first) = &mut self.found[at];
            *count += 1;
            if first.is_none() {
                first.clone_from(&breach.first);
            }
        }
    }

    /// # Errors
    /// [`ConstraintError::Broken`] where one is.
    pub fn finish(self) -> Result<(), ConstraintError> {
        let found = self.constraints.all().iter().zip(self.found).filter(|(_, (rows, _))| *rows > 0);
        let broken = found.map(|(one, (rows, first))| Broken {
            name: one.name.clone(),
            expression: one.expression.clone(),
            rows,
            first: first.unwrap_or_else(|| "a later one".to_owned()),
        });
        let broken: Vec<Broken> = broken.collect();
        if broken.is_empty() { Ok(()) } else { Err(ConstraintError::Broken { broken, which: self.which }) }
    }
}

fn told(place: &str, values: &str) -> String {
    if values.is_empty() { place.to_owned() } else { format!("{place} with {values}") }
}
