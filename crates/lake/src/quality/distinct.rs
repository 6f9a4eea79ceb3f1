//! How many different values a column has: counted while they are few, then estimated.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use bedplate_sketches::HyperLogLog;
use xxhash_rust::xxh3::xxh3_64;

use super::kept::{self, SeenDistinct, SeenValues};
use super::told::{Limits, Told, number};
use super::unique::AsItIs;

/// Registers for an error of 0.8 %.
type Sketch = HyperLogLog<14>;

/// So many are counted.
const COUNTED: usize = 4_096;

#[derive(Debug, Default)]
pub(crate) struct Distinct {
    limits: Limits,
    values: u64,
    seen: Seen,
}

#[derive(Debug)]
enum Seen {
    Counted(HashSet<u64, BuildHasherDefault<AsItIs>>),
    Estimated(Sketch),
}

impl Distinct {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    pub fn observe(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        self.values += (array.len() - array.null_count()) as u64;
        let mut number = |number: i64| self.seen.add(xxh3_64(&number.to_le_bytes()));
        match array.data_type() {
            DataType::Int32 => array.as_primitive::<Int32Type>().iter().flatten().for_each(|v| number(v.into())),
            DataType::Int64 => array.as_primitive::<Int64Type>().iter().flatten().for_each(number),
            DataType::Timestamp(..) => {
                array.as_primitive::<TimestampMicrosecondType>().iter().flatten().for_each(number);
            }
            DataType::Float64 => array.as_primitive::<Float64Type>().iter().flatten().for_each(|value| {
                // 0 and -0 are one value, and so is every NaN.
                let value = if value.is_nan() { f64::NAN } else { value + 0.0 };
                number(i64::from_le_bytes(value.to_le_bytes()));
            }),
            DataType::Boolean => array.as_boolean().iter().flatten().for_each(|value| number(value.into())),
            DataType::Utf8 => {
                array.as_string::<i32>().iter().flatten().for_each(|text| self.seen.add(xxh3_64(text.as_bytes())));
            }
            other => return Err(ArrowError::InvalidArgumentError(format!("values of {other} are not counted"))),
        }
        Ok(())
    }

    pub fn merge(&mut self, later: Self) {
        self.values += later.values;
        match later.seen {
            Seen::Counted(hashes) => hashes.into_iter().for_each(|hash| self.seen.add(hash)),
            Seen::Estimated(more) => {
                let mut sketch = std::mem::take(&mut self.seen).into_sketch();
                sketch.merge(&more);
                self.seen = Seen::Estimated(sketch);
            }
        }
    }

    pub(super) fn fresh(&self) -> Self {
        Self::new(self.limits)
    }

    pub(super) fn kept(&self) -> kept::Seen {
        let seen = match &self.seen {
            Seen::Counted(hashes) => {
                let mut hashes: Vec<u64> = hashes.iter().copied().collect();
                hashes.sort_unstable();
                SeenValues::Counted(hashes)
            }
            Seen::Estimated(sketch) => SeenValues::Estimated(sketch.registers().to_vec()),
        };
        kept::Seen::Distinct(SeenDistinct { values: self.values, seen })
    }

    /// False where it is not of as many registers.
    pub(super) fn add(&mut self, kept: &SeenDistinct) -> bool {
        let seen = match &kept.seen {
            SeenValues::Counted(hashes) => Seen::Counted(hashes.iter().copied().collect()),
            SeenValues::Estimated(registers) => match Sketch::of_registers(registers) {
                Some(sketch) => Seen::Estimated(sketch),
                None => return false,
            },
        };
        self.merge(Self { limits: self.limits, values: kept.values, seen });
        true
    }

    /// How many there are, and whether that is estimated.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of values, estimated as a float"
    )]
    pub fn found(&self) -> (u64, bool) {
        match &self.seen {
            Seen::Counted(hashes) => (hashes.len() as u64, false),
            Seen::Estimated(sketch) => (sketch.estimate().round() as u64, true),
        }
    }

    pub(super) fn told(&self) -> Told {
        let (found, estimated) = self.found();
        let (found, about) = (found as f64, if estimated { "about " } else { "" });
        let how = if about.is_empty() { "" } else { " (HyperLogLog, ±0.8%)" };
        let expected = self.limits.expected();
        let detail = format!("{about}{} different among {} values{how}{expected}", number(found), self.values);
        Told::whole(self.limits.have(found), self.values, found, detail)
    }
}

impl Default for Seen {
    fn default() -> Self {
        Self::Counted(HashSet::default())
    }
}

impl Seen {
    #[inline]
    fn add(&mut self, hash: u64) {
        match self {
            Self::Estimated(sketch) => sketch.add(hash),
            Self::Counted(hashes) => {
                hashes.insert(hash);
                if hashes.len() > COUNTED {
                    *self = Self::Estimated(std::mem::take(self).into_sketch());
                }
            }
        }
    }

    fn into_sketch(self) -> Sketch {
        match self {
            Self::Estimated(sketch) => sketch,
            Self::Counted(hashes) => {
                let mut sketch = Sketch::default();
                hashes.into_iter().for_each(|hash| sketch.add(hash));
                sketch
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array};

    use super::*;

    fn of(array: ArrayRef) -> Distinct {
        let mut distinct = Distinct::new(Limits::default());
        distinct.observe(&array).unwrap();
        distinct
    }

    #[test]
    fn few_are_counted_and_many_are_estimated() {
        let few = of(Arc::new((0..9_000).map(|n| n % 3).collect::<Int64Array>())).told();
        assert_eq!((few.value, few.observed), (Some(3.0), 9_000));
        assert_eq!(few.detail, "3 different among 9000 values");
        let many = of(Arc::new((0..50_000).collect::<Int64Array>())).told();
        assert!((many.value.unwrap() - 50_000.0).abs() < 2_000.0, "{}", many.detail);
        assert!(many.detail.starts_with("about ") && many.detail.contains("HyperLogLog"), "{}", many.detail);
        let zeros = of(Arc::new(Float64Array::from(vec![Some(0.0), Some(-0.0), Some(f64::NAN), None]))).told();
        assert_eq!((zeros.value, zeros.observed), (Some(2.0), 3));
    }

    #[test]
    fn merged_it_is_as_the_whole_counted_or_estimated() {
        for (rows, cut) in [(3_000, 1_000), (50_000, 100), (50_000, 49_900), (50_000, 25_000)] {
            let array = |numbers: std::ops::Range<i64>| -> ArrayRef { Arc::new(numbers.collect::<Int64Array>()) };
            let (mut first, second) = (of(array(0..cut)), of(array(cut / 2..rows)));
            first.merge(second);
            assert_eq!(first.told().value, of(array(0..rows)).told().value, "{rows} at {cut}");
        }
    }
}
