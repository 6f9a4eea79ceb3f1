//! Rows above a watermark, and where the next one stands.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::{cast, max};
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;
use bedplate_kinds::{DatasetSpec, Load};

use crate::delta::Watermark;

/// The column of a dataset that rises, and how far it has risen.
pub(super) struct Mark {
    name: String,
    column: usize,
    /// Rows have to lie above it; none takes all.
    low: Option<i64>,
    high: Option<i64>,
}

impl Mark {
    /// None where rows are not loaded by a watermark. `spec` is sound: the column is there, a time or a whole number.
    pub fn new(spec: &DatasetSpec, low: Option<&Watermark>) -> Option<Self> {
        let name = spec.source.watermark_column.clone().filter(|_| spec.source.load == Load::Watermark)?;
        let column = spec.schema.iter().position(|column| column.name == name)?;
        let low = low.map(|low| low.value);
        Some(Self { name, column, low, high: low })
    }

    /// Where the batch has no value, and why that is wrong.
    pub fn missing(&self, batch: &RecordBatch) -> (Vec<usize>, String) {
        let column = batch.column(self.column);
        let rows = (0..column.len()).filter(|row| column.is_null(*row)).collect();
        (rows, format!("{} is null, and load: watermark goes by it", self.name))
    }

    /// The rows that are above the mark.
    pub fn above(&self, batch: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let low = self.low;
        Ok(BooleanArray::from_unary(&self.values(batch)?, |value| low.is_none_or(|low| value > low)))
    }

    /// These rows go into the table.
    pub fn rise(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        self.high = self.high.max(max(&self.values(batch)?));
        Ok(())
    }

    pub fn finish(self) -> Option<Watermark> {
        Some(Watermark { column: self.name, value: self.high?, edge: None })
    }

    fn values(&self, batch: &RecordBatch) -> Result<Int64Array, ArrowError> {
        let values: ArrayRef = cast(batch.column(self.column), &DataType::Int64)?;
        Ok(values.as_primitive::<Int64Type>().clone())
    }
}
