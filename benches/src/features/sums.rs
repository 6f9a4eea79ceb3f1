//! What a joined file says, column by column, to compare answers by.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::data::{VIEWS, feature_names};

#[derive(Debug)]
pub struct Column {
    name: String,
    rows: usize,
    present: usize,
    /// Of up to a million multiples of 1/64 below 2^26: exact in any order.
    sum: f64,
}

impl Column {
    pub fn is(&self, other: &Self) -> bool {
        (self.rows, self.present) == (other.rows, other.present) && self.sum.to_bits() == other.sum.to_bits()
    }
}

pub fn of(path: &Path) -> Result<Vec<Column>> {
    let names = VIEWS.iter().flat_map(feature_names);
    let mut columns: Vec<Column> = names.map(|name| Column { name, rows: 0, present: 0, sum: 0.0 }).collect();
    for batch in ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.build()? {
        let batch = batch?;
        for column in &mut columns {
            let found = batch.schema().fields().iter().position(|field| field.name().ends_with(&column.name));
            let values = batch.column(found.with_context(|| format!("no column {}", column.name))?);
            let values = values.as_primitive::<Float64Type>();
            column.rows += values.len();
            column.present += values.len() - values.null_count();
            column.sum += values.iter().flatten().sum::<f64>();
        }
    }
    Ok(columns)
}
