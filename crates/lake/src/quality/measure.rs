//! Checks that measure a whole column: what they saw of it so far, and what that comes to.

use arrow::array::ArrayRef;
use arrow::error::ArrowError;

use super::distinct::Distinct;
use super::drift::Drift;
use super::freshness::Freshness;
use super::mean::Mean;
use super::quantile::Quantile;
use super::told::Told;

#[derive(Debug)]
pub(super) enum Measure {
    Mean(Mean),
    Quantile(Box<Quantile>),
    Distinct(Distinct),
    Freshness(Freshness),
    Drift(Drift),
}

impl Measure {
    pub fn observe(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        match self {
            Self::Mean(mean) => mean.observe(array),
            Self::Quantile(quantile) => quantile.observe(array),
            Self::Distinct(distinct) => distinct.observe(array),
            Self::Freshness(freshness) => {
                freshness.observe(array);
                Ok(())
            }
            Self::Drift(drift) => drift.observe(array),
        }
    }

    /// Adds what the same measure saw of later rows; false when it is another measure.
    pub fn merge(&mut self, later: Self) -> bool {
        match (self, later) {
            (Self::Mean(mine), Self::Mean(later)) => mine.merge(&later),
            (Self::Quantile(mine), Self::Quantile(later)) => mine.merge(*later),
            (Self::Distinct(mine), Self::Distinct(later)) => mine.merge(later),
            (Self::Freshness(mine), Self::Freshness(later)) => mine.merge(&later),
            (Self::Drift(mine), Self::Drift(later)) => mine.merge(&later),
            _ => return false,
        }
        true
    }

    pub fn told(self) -> Told {
        match self {
            Self::Mean(mean) => mean.told(),
            Self::Quantile(quantile) => quantile.told(),
            Self::Distinct(distinct) => distinct.told(),
            Self::Freshness(freshness) => freshness.told(),
            Self::Drift(drift) => drift.told(),
        }
    }
}
