//! How far a column's values are from a reference's: counted in the reference's bins, compared at the end.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;

use super::Profile;
use super::kept::Seen;
use super::profile::Bins;
use super::told::{Told, number};

/// A share in the population stability index is at least this: an empty bin would be infinitely far.
const FLOOR: f64 = 1e-4;
/// Numbers of more bins than this are compared in `GROUPS` of about equal weight in the reference.
const ONE_BY_ONE: usize = 21;
const GROUPS: u64 = 10;

#[derive(Debug)]
pub(super) struct Drift {
    limits: Distances,
    /// None: there is no reference yet.
    reference: Option<Arc<Profile>>,
    counts: Vec<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Distances {
    pub psi: Option<f64>,
    pub ks: Option<f64>,
}

impl Drift {
    pub fn new(limits: Distances, reference: Option<Arc<Profile>>) -> Self {
        let bins = reference.as_ref().map_or(0, |profile| profile.counts().len());
        Self { limits, reference, counts: vec![0; bins] }
    }

    /// Nulls and NaN are left out.
    pub fn observe(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        match self.reference.as_deref() {
            Some(Profile::Numbers { edges, .. }) => {
                let values = cast(array, &DataType::Float64)?;
                for value in values.as_primitive::<Float64Type>().iter().flatten().filter(|value| !value.is_nan()) {
                    self.counts[edges.partition_point(|edge| *edge < value)] += 1;
                }
            }
            Some(Profile::Words { bins, .. }) => {
                let others = self.counts.len() - 1;
                for word in array.as_string::<i32>().iter().flatten() {
                    self.counts[bins.get(word).copied().unwrap_or(others)] += 1;
                }
            }
            None => {}
        }
        Ok(())
    }

    pub fn merge(&mut self, later: &Self) {
        self.counts.iter_mut().zip(&later.counts).for_each(|(mine, more)| *mine += more);
    }

    pub fn fresh(&self) -> Self {
        Self::new(self.limits, self.reference.clone())
    }

    pub fn kept(&self) -> Seen {
        Seen::Drift(self.counts.clone())
    }

    pub fn add(&mut self, counts: &[u64]) -> bool {
        if counts.len() != self.counts.len() {
            return false;
        }
        self.merge(&Self { counts: counts.to_vec(), ..self.fresh() });
        true
    }

    pub fn reference(&self) -> Option<Bins<'_>> {
        self.reference.as_deref().map(Profile::bins)
    }

    /// The value is the first of the distances that is limited.
    pub fn told(&self) -> Told {
        let Some(reference) = &self.reference else { return Told::nothing(true, "there is no reference yet") };
        let (values, expected) = (self.counts.iter().sum::<u64>(), reference.counts().iter().sum::<u64>());
        if values == 0 || expected == 0 {
            return Told::nothing(values == expected, "a side has no values");
        }
        let numbers = matches!(**reference, Profile::Numbers { .. });
        let found = [
            (self.limits.psi, "PSI", psi(reference.counts(), &self.counts, numbers)),
            (self.limits.ks, "Kolmogorov-Smirnov distance", ks(reference.counts(), &self.counts)),
        ];
        let limited = || found.iter().filter_map(|(limit, name, found)| Some(((*limit)?, name, *found)));
        let passed = limited().all(|(limit, _, found)| found <= limit);
        let tell = |(limit, name, found): (f64, &&str, f64)| {
            format!("{name} {}, expected at most {}", number(found), number(limit))
        };
        let detail = limited().map(tell).collect::<Vec<_>>().join("; ");
        let value = limited().next().map_or(f64::NAN, |(_, _, found)| found);
        Told::whole(passed, values, value, detail)
    }
}

/// Population stability index: the sum of (q - p) ln(q / p) over the bins' shares.
fn psi(reference: &[u64], counts: &[u64], ordered: bool) -> f64 {
    let groups = if ordered {
        grouped(reference, counts)
    } else {
        reference.iter().copied().zip(counts.iter().copied()).collect()
    };
    let (was, is) = (reference.iter().sum::<u64>() as f64, counts.iter().sum::<u64>() as f64);
    let one = |(before, now): &(u64, u64)| {
        let (p, q) = ((*before as f64 / was).max(FLOOR), (*now as f64 / is).max(FLOOR));
        (q - p) * (q / p).ln()
    };
    groups.iter().filter(|(before, now)| before + now > 0).map(one).sum()
}

/// Neighbouring bins together, until each group has a tenth of the reference; few bins stay as they are.
fn grouped(reference: &[u64], counts: &[u64]) -> Vec<(u64, u64)> {
    let pairs = || reference.iter().copied().zip(counts.iter().copied());
    if reference.len() <= ONE_BY_ONE {
        return pairs().collect();
    }
    let each = reference.iter().sum::<u64>().div_ceil(GROUPS);
    let (mut groups, mut open) = (Vec::new(), (0, 0));
    for (before, now) in pairs() {
        open = (open.0 + before, open.1 + now);
        if open.0 >= each {
            groups.push(std::mem::take(&mut open));
        }
    }
    match groups.last_mut() {
        // What is left is less than a group.
        Some(last) => *last = (last.0 + open.0, last.1 + open.1),
        None => groups.push(open),
    }
    groups
}

/// The largest distance between the two cumulative shares, at the edges of the bins.
fn ks(reference: &[u64], counts: &[u64]) -> f64 {
    let (was, is) = (reference.iter().sum::<u64>() as f64, counts.iter().sum::<u64>() as f64);
    let (mut p, mut q, mut widest) = (0, 0, 0.0_f64);
    for (before, now) in reference.iter().zip(counts) {
        (p, q) = (p + before, q + now);
        widest = widest.max((p as f64 / was - q as f64 / is).abs());
    }
    widest
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, StringArray};

    use super::*;

    fn told(profile: Profile, array: ArrayRef, limits: Distances) -> Told {
        let mut drift = Drift::new(limits, Some(Arc::new(profile)));
        drift.observe(&array).unwrap();
        drift.told()
    }

    const BOTH: Distances = Distances { psi: Some(0.2), ks: Some(0.1) };

    fn spread(shift: u32) -> ArrayRef {
        Arc::new((0..10_000_u32).map(|n| Some(f64::from(n + shift))).collect::<Float64Array>())
    }

    fn uniform() -> Profile {
        let values: Vec<(f64, u64)> = (0..10_000_u32).map(|n| (f64::from(n), 1)).collect();
        Profile::numbers(&values)
    }

    #[test]
    fn the_same_spread_is_no_drift_and_a_shift_is_as_far_as_it_is() {
        let same = told(uniform(), spread(0), BOTH);
        assert!(same.passed && same.value.unwrap() < 1e-9, "{}", same.detail);
        // A uniform moved by 30% of its width: the distance is 0.3 up to a bin.
        let moved = told(uniform(), spread(3_000), Distances { psi: None, ks: Some(0.1) });
        assert!(!moved.passed && (moved.value.unwrap() - 0.3).abs() < 0.005, "{}", moved.detail);
        // By hand: deciles with shares (0, 0, 0, .1 × 6, .4) against .1 each, empty ones 1e-4:
        // 3 (0.0999 ln 1000) + 0.3 ln 4 = 2.0702 + 0.4159.
        let psi = told(uniform(), spread(3_000), Distances { psi: Some(0.2), ks: None }).value.unwrap();
        assert!((psi - 2.486).abs() < 0.05, "{psi}");
    }

    #[test]
    fn words_are_compared_by_how_often_they_come() {
        let profile = || Profile::words([("a".to_owned(), 60), ("b".to_owned(), 40)]);
        let limits = Distances { psi: Some(0.2), ks: None };
        let words = |a: usize, b: usize, c: usize| -> ArrayRef {
            let words = [vec!["a"; a], vec!["b"; b], vec!["c"; c]].concat();
            Arc::new(StringArray::from(words))
        };
        assert!(told(profile(), words(6, 4, 0), limits).passed);
        let new = told(profile(), words(6, 3, 1), limits);
        // (0.3 - 0.4) ln(0.3 / 0.4) + (0.1 - 1e-4) ln(0.1 / 1e-4)
        assert!(!new.passed && (new.value.unwrap() - (0.028_768 + 0.690_085)).abs() < 1e-4, "{}", new.detail);
    }

    #[test]
    fn without_a_reference_it_passes_and_without_values_it_does_not() {
        assert!(Drift::new(BOTH, None).told().passed);
        assert!(!told(uniform(), Arc::new(Float64Array::from(vec![None, Some(f64::NAN)])), BOTH).passed);
    }
}
