//! When the newest row became known that entities have at moments.

use std::collections::HashMap;

use arrow::array::RecordBatch;

use crate::row::SourceColumns;
use crate::{Brought, EntityKey, FeatureError, RowsReport, ViewDefinition};

/// Answers for a few entities and moments, over rows that go by.
#[derive(Clone, Debug)]
pub struct NewestKnown {
    asked: HashMap<Vec<u8>, Vec<usize>>,
    moments: Vec<i64>,
    newest: Vec<Option<i64>>,
}

impl NewestKnown {
    #[must_use]
    pub fn new(asked: &[(EntityKey, i64)]) -> Self {
        let mut by_key: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (at, (key, _)) in asked.iter().enumerate() {
            by_key.entry(key.as_bytes().to_vec()).or_default().push(at);
        }
        let moments = asked.iter().map(|(_, moment)| *moment).collect();
        Self { asked: by_key, moments, newest: vec![None; asked.len()] }
    }

    /// Takes in rows of the view's source, those that are said to be brought.
    ///
    /// # Errors
    /// When a column is missing or has a type that cannot be used.
    pub fn take(&mut self, def: &ViewDefinition, batch: &RecordBatch, brought: Brought) -> Result<(), FeatureError> {
        let columns = SourceColumns::new(def, batch)?;
        let (mut key, mut report) = (Vec::new(), RowsReport::default());
        for row in 0..batch.num_rows() {
            let time = columns.usable(row, &mut report).filter(|time| brought.holds(*time));
            if let Some(time) = time
                && columns.keys().write(row, &mut key)
            {
                self.take_row(&key, time);
            }
        }
        Ok(())
    }

    /// Takes in one row, by its entity's bytes.
    pub fn take_row(&mut self, key: &[u8], time: i64) {
        for at in self.asked.get(key).into_iter().flatten() {
            if time <= self.moments[*at] {
                self.newest[*at] = self.newest[*at].max(Some(time));
            }
        }
    }

    /// Takes in what another, that was asked the same, took of the same source.
    pub fn merge(&mut self, other: Self) {
        self.newest.iter_mut().zip(other.newest).for_each(|(newest, other)| *newest = (*newest).max(other));
    }

    /// In the order they were asked for.
    #[must_use]
    pub fn finish(self) -> Vec<Option<i64>> {
        self.newest
    }
}
