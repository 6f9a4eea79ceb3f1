//! How far the present has moved from the training window, one feature at a time, and the label month by month.
//!
//! Distances, not p-values: with 100,000 rows a test finds every difference significant. The rules are Evidently's
//! (0.7, read in its source): 20 distinct reference values or fewer are compared value by value, more in Sturges' bins
//! over both samples. Missing values are counted apart and are in none of the distances.

mod bins;
mod distance;
mod label;

use bedplate_kinds::DriftResult;

use bins::Binned;
pub use label::label_shift;

/// The smallest standard deviation a Wasserstein distance is divided by.
const STD_FLOOR: f64 = 0.001;

/// Compares two samples of a feature. What is not finite is missing.
///
/// The feature has drifted when its normalised Wasserstein or its Jensen-Shannon distance is above `threshold`, or
/// when just one of the samples has no value at all: then the Jensen-Shannon distance is at its maximum, √(ln 2), and
/// the other two are 0 because they cannot be computed. O(n log n).
#[must_use]
pub fn compare(feature: &str, reference: &[f64], current: &[f64], threshold: f64) -> DriftResult {
    let (reference, current) = (Sample::of(reference), Sample::of(current));
    let distances = Distances::between(&reference.values, &current.values);
    let one_sided = reference.values.is_empty() != current.values.is_empty();
    DriftResult {
        feature: feature.to_owned(),
        psi: distances.psi,
        jensen_shannon: distances.jensen_shannon,
        wasserstein: distances.wasserstein,
        missing_share_reference: reference.missing_share,
        missing_share_current: current.missing_share,
        drifted: one_sided || distances.wasserstein > threshold || distances.jensen_shannon > threshold,
    }
}

/// A feature's values in ascending order, and the share that had none.
struct Sample {
    values: Vec<f64>,
    missing_share: f64,
}

impl Sample {
    fn of(column: &[f64]) -> Self {
        let mut values: Vec<f64> = column.iter().copied().filter(|value| value.is_finite()).collect();
        values.sort_unstable_by(f64::total_cmp);
        let missing = column.len() - values.len();
        let missing_share = if column.is_empty() { 0.0 } else { missing as f64 / column.len() as f64 };
        Self { values, missing_share }
    }
}

#[derive(Default)]
struct Distances {
    psi: f64,
    jensen_shannon: f64,
    wasserstein: f64,
}

impl Distances {
    fn between(reference: &[f64], current: &[f64]) -> Self {
        match (reference.is_empty(), current.is_empty()) {
            (true, true) => Self::default(),
            (false, false) => Self::of_values(reference, current),
            _ => Self { jensen_shannon: std::f64::consts::LN_2.sqrt(), ..Self::default() },
        }
    }

    fn of_values(reference: &[f64], current: &[f64]) -> Self {
        let binned = Binned::of(reference, current);
        let scale = distance::standard_deviation(reference).max(STD_FLOOR);
        Self {
            psi: distance::psi(&binned),
            jensen_shannon: distance::jensen_shannon(&binned),
            // A sum beyond `f64` would be no JSON number.
            wasserstein: (distance::wasserstein(reference, current) / scale).min(f64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-9 * want.abs().max(1.0), "{got} is not {want}");
    }

    /// Deterministic and irregular: (i * 7919 mod 1009) / 100.
    fn irregular(rows: u32) -> impl Iterator<Item = f64> {
        (0..rows).map(|i| f64::from(i * 7919 % 1009) / 100.0)
    }

    /// Expected, also below: numpy 2.4.6 and scipy 1.17.1 with Evidently's binning written out by hand:
    /// `histogram_bin_edges(concatenate([ref, cur]), "sturges")`, `scipy.spatial.distance.jensenshannon`,
    /// `scipy.stats.wasserstein_distance(ref, cur) / max(std(ref), 0.001)`, empty bins 1e-4 or min/1e6 for PSI.
    #[test]
    fn continuous_features_agree_with_scipy() {
        let reference: Vec<f64> = irregular(1000).collect();
        let current: Vec<f64> = irregular(700).map(|x| x * 1.2 + 0.5).chain([f64::NAN; 300]).collect();
        let got = compare("x", &reference, &current, 0.1);
        close(got.psi, 1.26987141136313);
        close(got.jensen_shannon, 0.265987803074503);
        close(got.wasserstein, 0.513911774135781);
        assert_eq!((got.missing_share_reference, got.missing_share_current, got.drifted), (0.0, 0.3, true));
    }

    #[test]
    fn features_of_few_values_agree_with_scipy() {
        let reference: Vec<f64> = (0..200).map(|i| f64::from(i * i % 7)).collect();
        let current: Vec<f64> = (0..150).map(|i| f64::from(i * i % 11)).collect();
        let got = compare("x", &reference, &current, 0.1);
        close(got.psi, 6.48776378861889);
        close(got.jensen_shannon, 0.550466955317108);
        close(got.wasserstein, 1.4018644746504);
    }

    /// 1,024 rows in both: log2 is a whole number, where numpy's rounding decides the number of bins.
    #[test]
    fn a_power_of_two_rows_bins_as_numpy_does() {
        let reference: Vec<f64> = irregular(512).collect();
        let current: Vec<f64> = irregular(512).map(|x| x * x / 9.0).collect();
        let got = compare("x", &reference, &current, 0.1);
        close(got.psi, 0.661340669586036);
        close(got.jensen_shannon, 0.245809031100251);
    }

    #[test]
    fn a_constant_reference_uses_the_floor() {
        let got = compare("x", &[2.0; 50], &[2.0005; 50], 0.1);
        close(got.wasserstein, 0.5);
        assert!(got.drifted);
    }

    #[test]
    fn nothing_against_something_has_drifted_and_nothing_against_nothing_has_not() {
        let none = [f64::NAN; 3];
        let gone = compare("x", &[1.0, 2.0], &none, 10.0);
        assert!(gone.drifted && gone.missing_share_current == 1.0);
        close(gone.jensen_shannon, 0.832_554_611_157_697_8);
        assert!(!compare("x", &none, &none, 0.1).drifted);
        assert!(!compare("x", &[], &[], 0.1).drifted);
    }

    fn samples() -> impl Strategy<Value = Vec<f64>> {
        prop_oneof![
            proptest::collection::vec(-1e6..1e6_f64, 0..120),
            proptest::collection::vec((-3_i8..3).prop_map(f64::from), 0..120),
            proptest::collection::vec(prop_oneof![Just(f64::NAN), -1.0..1.0_f64, any::<f64>()], 0..60),
        ]
    }

    proptest! {
        #[test]
        fn a_sample_does_not_drift_from_itself(sample in samples()) {
            let got = compare("x", &sample, &sample, 0.0);
            prop_assert_eq!((got.psi, got.jensen_shannon, got.wasserstein, got.drifted), (0.0, 0.0, 0.0, false));
        }

        #[test]
        fn distances_are_finite_and_not_negative(a in samples(), b in samples()) {
            let got = compare("x", &a, &b, 0.1);
            for value in [got.psi, got.jensen_shannon, got.wasserstein] {
                prop_assert!(value.is_finite() && value >= 0.0, "{:?}", got);
            }
            prop_assert!(got.jensen_shannon <= std::f64::consts::LN_2.sqrt() + 1e-12);
        }

        /// The bins depend on the reference only through its number of distinct values, so equal kinds are symmetric.
        #[test]
        fn jensen_shannon_is_symmetric(
            a in proptest::collection::vec((-9_i8..9).prop_map(f64::from), 1..80),
            b in proptest::collection::vec((-9_i8..9).prop_map(f64::from), 1..80),
        ) {
            let (there, back) = (compare("x", &a, &b, 0.1), compare("x", &b, &a, 0.1));
            prop_assert!((there.jensen_shannon - back.jensen_shannon).abs() < 1e-12);
        }
    }
}
