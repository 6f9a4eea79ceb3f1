//! How much one feature alone tells of the label: what gives a leak away.

use crate::metrics::Tally;

/// AUC of one feature as if it were the score; NaN is missing, and all missing rows tie as one value.
///
/// The missing group stands below or above every number, whichever is farther from 0.5: a feature that is null only
/// for one class leaks through its nulls alone, wherever they would be ranked. `None` when there is one class only, or
/// the slices differ in length.
#[must_use]
pub fn single_feature_auc(values: &[f64], labels: &[bool]) -> Option<f64> {
    if values.len() != labels.len() {
        return None;
    }
    let rows = values.iter().copied().zip(labels.iter().copied());
    let (missing, mut present): (Vec<_>, Vec<_>) = rows.partition(|row| row.0.is_nan());
    present.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let positives = missing.iter().filter(|row| row.1).count() as u128;
    let negatives = missing.len() as u128 - positives;
    let (numbers, nulls) = (Tally::of(&present), Tally::default().then(positives, negatives));
    let (below, above) = (nulls.followed_by(numbers).auc()?, numbers.then(positives, negatives).auc()?);
    Some(if separation(below) >= separation(above) { below } else { above })
}

/// AUC regardless of direction: 0.5 tells nothing, 1 tells all.
pub(crate) fn separation(auc: f64) -> f64 {
    // Not `f64::max`, which would drop a NaN.
    if auc >= 0.5 { auc } else { 1.0 - auc }
}

impl Tally {
    /// Two runs of groups as one, `upper` above `self`.
    fn followed_by(self, upper: Self) -> Self {
        Self {
            positives: self.positives + upper.positives,
            negatives: self.negatives + upper.negatives,
            twice_u: self.twice_u + upper.twice_u + 2 * upper.positives * self.negatives,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auc;
    use proptest::prelude::*;

    const NULL: f64 = f64::NAN;

    #[test]
    fn finds_a_leak_through_nulls_alone() {
        let values = [NULL, NULL, 3.0, 3.0, 3.0];
        let labels = [true, true, false, false, false];
        assert_eq!(single_feature_auc(&values, &labels).map(separation), Some(1.0));
    }

    #[test]
    fn nulls_that_tell_nothing_stay_near_a_half() {
        let values = [NULL, NULL, 1.0, 1.0];
        assert_eq!(single_feature_auc(&values, &[true, false, true, false]), Some(0.5));
    }

    #[test]
    fn nan_separates_nothing() {
        assert!(separation(f64::NAN).is_nan());
        assert_eq!(single_feature_auc(&[NULL], &[true]), None);
    }

    proptest! {
        /// Oracle: put a number in the nulls' place, below or above all others.
        #[test]
        fn nulls_rank_as_one_value_at_the_better_end(
            rows in proptest::collection::vec((proptest::option::of(-4_i8..4), any::<bool>()), 0..50)
        ) {
            let labels: Vec<bool> = rows.iter().map(|row| row.1).collect();
            let with = |null: f64| rows.iter().map(|row| row.0.map_or(null, f64::from)).collect::<Vec<_>>();
            let best = [-100.0, 100.0].iter().filter_map(|null| auc(&with(*null), &labels)).map(separation).reduce(f64::max);
            let got = single_feature_auc(&with(NULL), &labels).map(separation);
            match (got, best) {
                (Some(got), Some(best)) => prop_assert!((got - best).abs() < 1e-12),
                (got, best) => prop_assert_eq!(got, best),
            }
        }
    }
}
