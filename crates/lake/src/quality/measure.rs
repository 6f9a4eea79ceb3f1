//! Checks that measure a whole column: what they saw of it so far, and what that comes to.

use arrow::array::ArrayRef;
use arrow::error::ArrowError;

use super::distinct::Distinct;
use super::drift::Drift;
use super::freshness::Freshness;
use super::kept::Seen;
use super::mean::Mean;
use super::profile::Bins;
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

    /// As it was before it saw anything.
    pub fn fresh(&self) -> Self {
        match self {
            Self::Mean(mean) => Self::Mean(mean.fresh()),
            Self::Quantile(quantile) => Self::Quantile(Box::new(quantile.fresh())),
            Self::Distinct(distinct) => Self::Distinct(distinct.fresh()),
            Self::Freshness(freshness) => Self::Freshness(freshness.fresh()),
            Self::Drift(drift) => Self::Drift(drift.fresh()),
        }
    }

    pub fn kept(&mut self) -> Seen {
        match self {
            Self::Mean(mean) => mean.kept(),
            Self::Quantile(quantile) => quantile.kept(),
            Self::Distinct(distinct) => distinct.kept(),
            Self::Freshness(freshness) => freshness.kept(),
            Self::Drift(drift) => drift.kept(),
        }
    }

    /// Adds what was kept of other rows; false where it is no such thing, and then nothing is added.
    pub fn add(&mut self, seen: &Seen) -> bool {
        match (self, seen) {
            (Self::Mean(mean), Seen::Mean(seen)) => mean.add(seen),
            (Self::Quantile(quantile), Seen::Quantile(seen)) => return quantile.add(seen),
            (Self::Distinct(distinct), Seen::Distinct(seen)) => return distinct.add(seen),
            (Self::Freshness(freshness), Seen::Freshness(seen)) => freshness.add(seen),
            (Self::Drift(drift), Seen::Drift(seen)) => return drift.add(seen),
            _ => return false,
        }
        true
    }

    /// What it is compared with, by which it counts.
    pub fn reference(&self) -> Option<Bins<'_>> {
        match self {
            Self::Drift(drift) => drift.reference(),
            _ => None,
        }
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
