//! A table's profile while its rows go by.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;
use bedplate_kinds::{Column, ColumnType};

use super::histogram::Bins;
use super::moments::Moments;
use super::quantiles::Quantiles;
use super::texts::TextCounts;
use super::told::{ColumnProfile, Numbers, TableProfile, Values};
use crate::quality::Distinct;

/// Takes rows in. What it holds is bounded, however many come: some hundred kilobytes a column.
#[derive(Debug)]
pub struct Profiler {
    rows: u64,
    columns: Vec<Gathered>,
}

#[derive(Debug)]
struct Gathered {
    column: Column,
    nulls: u64,
    distinct: Distinct,
    values: Kept,
}

#[derive(Debug)]
enum Kept {
    Numbers(Box<NumbersKept>),
    Texts(Box<TextCounts>),
    Booleans(u64),
}

#[derive(Debug)]
struct NumbersKept {
    moments: Moments,
    quantiles: Quantiles,
    bins: Bins,
    nan: u64,
    infinite: u64,
}

impl Profiler {
    /// Of the declared columns; batches come with these columns in this order, strings as `Utf8`.
    #[must_use]
    pub fn new(columns: &[Column]) -> Self {
        Self { rows: 0, columns: columns.iter().cloned().map(Gathered::new).collect() }
    }

    /// # Errors
    /// A column that is not of its declared type.
    pub fn observe(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        self.rows += batch.num_rows() as u64;
        self.columns.iter_mut().zip(batch.columns()).try_for_each(|(column, array)| column.observe(array))
    }

    #[must_use]
    pub fn finish(self) -> TableProfile {
        let rows = self.rows;
        TableProfile { rows, columns: self.columns.into_iter().map(|column| column.told(rows)).collect() }
    }
}

impl Gathered {
    fn new(column: Column) -> Self {
        let numbers = |whole| Kept::Numbers(Box::new(NumbersKept::new(whole)));
        let values = match column.type_ {
            ColumnType::Int32 | ColumnType::Int64 | ColumnType::Timestamp => numbers(true),
            ColumnType::Float64 => numbers(false),
            ColumnType::String => Kept::Texts(Box::default()),
            ColumnType::Boolean => Kept::Booleans(0),
        };
        Self { column, nulls: 0, distinct: Distinct::default(), values }
    }

    fn observe(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        self.nulls += array.null_count() as u64;
        self.distinct.observe(array)?;
        let strange = || ArrowError::CastError(format!("column {} is of {}", self.column.name, array.data_type()));
        match &mut self.values {
            Kept::Numbers(numbers) => numbers.observe(array)?,
            Kept::Texts(texts) => texts.observe(array.as_string_opt().ok_or_else(strange)?),
            Kept::Booleans(is_true) => *is_true += array.as_boolean_opt().ok_or_else(strange)?.true_count() as u64,
        }
        Ok(())
    }

    fn told(self, rows: u64) -> ColumnProfile {
        let (distinct, distinct_estimated) = self.distinct.found();
        ColumnProfile {
            name: self.column.name,
            type_: self.column.type_,
            nulls: self.nulls,
            // An estimate may be beyond what there is.
            distinct: distinct.min(rows - self.nulls),
            distinct_estimated,
            values: Some(match self.values {
                Kept::Numbers(numbers) => Values::Numbers(numbers.told()),
                Kept::Texts(texts) => Values::Texts(texts.told()),
                Kept::Booleans(is_true) => Values::Booleans(is_true),
            }),
        }
    }
}

impl NumbersKept {
    fn new(whole_numbers: bool) -> Self {
        let bins = Bins::new(whole_numbers);
        Self { moments: Moments::default(), quantiles: Quantiles::new(), bins, nan: 0, infinite: 0 }
    }

    fn observe(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        let values = self.finite(array)?;
        self.moments.observe(&values);
        self.quantiles.observe(&values);
        self.bins.observe(&values);
        Ok(())
    }

    fn finite(&mut self, array: &ArrayRef) -> Result<Vec<f64>, ArrowError> {
        // A time is cast to its microseconds first: there is no way from times to floats.
        let whole = match array.data_type() {
            DataType::Timestamp(..) => cast(array, &DataType::Int64)?,
            _ => array.clone(),
        };
        let floats = cast(&whole, &DataType::Float64)?;
        let floats = floats.as_primitive::<Float64Type>();
        let present: Vec<f64> = match floats.nulls() {
            None => floats.values().to_vec(),
            Some(_) => floats.iter().flatten().collect(),
        };
        if present.iter().all(|value| value.is_finite()) {
            return Ok(present);
        }
        self.nan += present.iter().filter(|value| value.is_nan()).count() as u64;
        self.infinite += present.iter().filter(|value| value.is_infinite()).count() as u64;
        Ok(present.into_iter().filter(|value| value.is_finite()).collect())
    }

    fn told(self) -> Numbers {
        let bounds = self.moments.bounds();
        Numbers {
            min: bounds.map(|bounds| bounds.0),
            max: bounds.map(|bounds| bounds.1),
            mean: self.moments.mean(),
            std: self.moments.std(),
            quantiles: self.quantiles.told(),
            histogram: self.bins.told(),
            nan: self.nan,
            infinite: self.infinite,
        }
    }
}
