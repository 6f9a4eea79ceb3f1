//! What is kept of a group of rows so that groups can be put together.

use bedplate_sketches::{Distinct, Quantiles};

use super::Kind;
use super::layer::Kept;

/// A summary of numbers: of a group in the order of its rows, merged in the order of groups.
pub(crate) trait Partial: Clone + Default {
    const KIND: Kind;

    /// `value` is not NaN.
    fn add(&mut self, value: f64);

    /// Takes in a group of later rows. Into none, nothing but the group.
    fn merge(&mut self, later: &Self);

    fn kept(kept: &Kept) -> Option<&[Self]>;

    /// Of numbers, NaN where null.
    fn of(values: &[f64]) -> Self {
        let mut partial = Self::default();
        values.iter().filter(|value| !value.is_nan()).for_each(|value| partial.add(*value));
        partial
    }
}

/// Count and sum.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    pub count: f64,
    pub sum: f64,
}

impl Partial for Sums {
    const KIND: Kind = Kind::Sums;

    fn add(&mut self, value: f64) {
        self.count += 1.0;
        self.sum += value;
    }

    fn merge(&mut self, later: &Self) {
        self.count += later.count;
        self.sum += later.sum;
    }

    fn kept(kept: &Kept) -> Option<&[Self]> {
        if let Kept::Sums(partials) = kept { Some(partials) } else { None }
    }

    /// Without a branch for null: a sum is never -0.0, so that adding 0.0 changes nothing.
    #[expect(clippy::cast_precision_loss, reason = "a window holds far fewer than 2^53 rows")]
    fn of(values: &[f64]) -> Self {
        let zeroed = |value: &f64| if value.is_nan() { 0.0 } else { *value };
        let sum = values.iter().fold(0.0, |sum, value| sum + zeroed(value));
        Self { count: values.iter().filter(|value| !value.is_nan()).count() as f64, sum }
    }
}

/// The least and the greatest value, NaN without any.
#[derive(Clone, Debug)]
pub(crate) struct Extremes {
    pub least: f64,
    pub greatest: f64,
}

impl Default for Extremes {
    fn default() -> Self {
        Self { least: f64::NAN, greatest: f64::NAN }
    }
}

impl Partial for Extremes {
    const KIND: Kind = Kind::Extremes;

    fn add(&mut self, value: f64) {
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
    }

    fn merge(&mut self, later: &Self) {
        self.least = self.least.min(later.least);
        self.greatest = self.greatest.max(later.greatest);
    }

    fn kept(kept: &Kept) -> Option<&[Self]> {
        if let Kept::Extremes(partials) = kept { Some(partials) } else { None }
    }
}

/// Mean and sum of squared distances from it, added and merged as in Chan, Golub, LeVeque: Updating formulae and a pairwise
/// algorithm for computing sample variances, 1979. Nothing large is ever taken from something large.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// The standard deviation of a sample; `None` for fewer than two values.
    pub(crate) fn deviation(&self) -> Option<f64> {
        (self.count >= 2.0).then(|| (self.squares / (self.count - 1.0)).sqrt())
    }
}

impl Partial for Moments {
    const KIND: Kind = Kind::Moments;

    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let distance = value - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (value - self.mean);
    }

    fn merge(&mut self, later: &Self) {
        if self.count == 0.0 {
            *self = later.clone();
        } else if later.count > 0.0 {
            let count = self.count + later.count;
            let distance = later.mean - self.mean;
            let part = later.count / count;
            self.squares += later.squares + distance * (distance * (self.count * part));
            self.mean += distance * part;
            self.count = count;
        }
    }

    fn kept(kept: &Kept) -> Option<&[Self]> {
        if let Kept::Moments(partials) = kept { Some(partials) } else { None }
    }
}

impl Partial for Distinct {
    const KIND: Kind = Kind::Distinct;

    fn add(&mut self, value: f64) {
        Self::add(self, value);
    }

    fn merge(&mut self, later: &Self) {
        Self::merge(self, later);
    }

    fn kept(kept: &Kept) -> Option<&[Self]> {
        if let Kept::Distinct(partials) = kept { Some(partials) } else { None }
    }
}

impl Partial for Quantiles {
    const KIND: Kind = Kind::Quantiles;

    fn add(&mut self, value: f64) {
        Self::add(self, value);
    }

    fn merge(&mut self, later: &Self) {
        Self::merge(self, later);
    }

    fn kept(kept: &Kept) -> Option<&[Self]> {
        if let Kept::Quantiles(partials) = kept { Some(partials) } else { None }
    }
}
