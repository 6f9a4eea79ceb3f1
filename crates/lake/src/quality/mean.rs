//! The mean of a column.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{cast, sum};
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;

use super::kept::{Seen, SeenMean};
use super::told::{Limits, Told, number};

#[derive(Debug)]
pub(super) struct Mean {
    limits: Limits,
    sum: f64,
    count: u64,
}

impl Mean {
    pub fn new(limits: Limits) -> Self {
        Self { limits, sum: 0.0, count: 0 }
    }

    pub fn observe(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        let values = cast(array, &DataType::Float64)?;
        self.sum += sum(values.as_primitive::<Float64Type>()).unwrap_or(0.0);
        self.count += (values.len() - values.null_count()) as u64;
        Ok(())
    }

    pub fn merge(&mut self, later: &Self) {
        self.sum += later.sum;
        self.count += later.count;
    }

    pub fn fresh(&self) -> Self {
        Self::new(self.limits)
    }

    pub fn kept(&self) -> Seen {
        Seen::Mean(SeenMean { sum: self.sum.into(), count: self.count })
    }

    pub fn add(&mut self, seen: &SeenMean) {
        self.merge(&Self { limits: self.limits, sum: seen.sum.into(), count: seen.count });
    }

    pub fn told(&self) -> Told {
        if self.count == 0 {
            return Told::nothing(false, "there is no value to take a mean of");
        }
        let mean = self.sum / self.count as f64;
        let detail = format!("the mean of {} values is {}{}", self.count, number(mean), self.limits.expected());
        Told::whole(self.limits.have(mean), self.count, mean, detail)
    }
}
