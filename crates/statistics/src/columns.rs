//! Columns of numbers on their way into a profile.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch};
use arrow::error::ArrowError;
use bedplate_kinds::{Column, ColumnType};
use bedplate_lake::profile::{ColumnProfile, Profiler};
use bedplate_sketches::RowSample;
use serde::Serialize;

/// What is told of one feature.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeatureStatistics {
    #[serde(flatten)]
    pub profile: ColumnProfile,
    /// The rows that were looked at, those without a value included.
    pub rows: u64,
    /// Whether that is a part of the rows there are.
    pub sampled: bool,
}

/// Takes rows of numbers in, NaN where there is none: their profile, and a sample of them.
#[derive(Debug)]
pub struct Columns {
    profiler: Profiler,
    names: Vec<String>,
    sample: RowSample,
    /// Column by column, what the profiler has not taken yet.
    waiting: Vec<Vec<f64>>,
    rows: u64,
}

/// Rows that are handed to the profiler at once.
const BATCH: usize = 8_192;

impl Columns {
    /// With a sample of at least `most` rows.
    pub fn new(names: Vec<String>, most: usize) -> Self {
        Self {
            profiler: Profiler::new(&names.iter().map(|name| column(name)).collect::<Vec<_>>()),
            sample: RowSample::new(names.len(), most),
            waiting: vec![Vec::new(); names.len()],
            names,
            rows: 0,
        }
    }

    /// `lot` decides whether the row is of the sample.
    pub fn take(&mut self, lot: u64, row: &[f64]) -> Result<(), ArrowError> {
        self.sample.take(lot, row.iter().copied());
        self.rows += 1;
        self.waiting.iter_mut().zip(row).for_each(|(column, value)| column.push(*value));
        if self.rows.is_multiple_of(BATCH as u64) { self.observe() } else { Ok(()) }
    }

    fn observe(&mut self) -> Result<(), ArrowError> {
        if self.waiting.first().is_none_or(Vec::is_empty) {
            return Ok(());
        }
        let array = |values: &mut Vec<f64>| -> ArrayRef {
            let values = std::mem::take(values).into_iter().map(|value| (!value.is_nan()).then_some(value));
            Arc::new(values.collect::<Float64Array>())
        };
        let columns: Vec<ArrayRef> = self.waiting.iter_mut().map(array).collect();
        let named = self.names.iter().zip(columns).map(|(name, values)| (name, values, true));
        self.profiler.observe(&RecordBatch::try_from_iter_with_nullable(named)?)
    }

    pub fn finish(mut self, sampled: bool) -> Result<(Vec<FeatureStatistics>, RowSample), ArrowError> {
        self.observe()?;
        self.sample.settle();
        let (rows, profile) = (self.rows, self.profiler.finish());
        let told = profile.columns.into_iter().map(|profile| FeatureStatistics { profile, rows, sampled });
        Ok((told.collect(), self.sample))
    }
}

fn column(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        type_: ColumnType::Float64,
        nullable: true,
        outcome: false,
        description: String::new(),
    }
}
