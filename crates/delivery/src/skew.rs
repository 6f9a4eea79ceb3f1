//! Whether a feature is served as it was learned, or is today as it was: one verdict a feature, and none where there is too
//! little to say it.

use bedplate_kinds::DriftResult;
use serde::Serialize;

use crate::drift;

/// Distances above this are a difference, where nobody says otherwise.
pub const THRESHOLD: f64 = 0.1;
/// Rows a side has to have, where nobody says otherwise.
pub const LEAST: u64 = 200;
/// Standard errors that samples of one distribution may be apart: with two of them on top of [`THRESHOLD`], chance makes a
/// difference less than once in a hundred times.
const CHANCE: f64 = 2.0;

/// What is asked of the two samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    pub threshold: f64,
    /// Rows that each side must have.
    pub least: u64,
}

/// What is found of one feature.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    pub feature: String,
    pub verdict: Verdict,
    /// What made it so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
    /// Rows that were compared, those without a value included.
    pub reference_rows: u64,
    pub current_rows: u64,
    /// What a distance has to be above: what was asked for, and what chance makes of samples of these sizes.
    pub threshold: f64,
    /// None where there was too little to measure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distances: Option<DriftResult>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    Alike,
    Different,
    /// One side has too few rows, or too few values to compare.
    TooFew,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Because {
    /// The values lie elsewhere.
    Distribution,
    /// Another share of the rows has no value.
    Missing,
}

/// Compares two samples of a feature, NaN where there is no value: by [`drift::compare`], and by the share that is missing,
/// which differs when it is more than the threshold apart.
///
/// Small samples are apart by chance: two standard errors of a mean, `2 * sqrt(1/n + 1/m)` of the standard deviation, are
/// added to the threshold. O(n log n).
#[must_use]
pub fn compare(feature: &str, reference: &[f64], current: &[f64], limits: Limits) -> Compared {
    let rows = |sample: &[f64]| sample.len() as u64;
    let (before, now) = (values(reference), values(current));
    let threshold = limits.threshold + CHANCE * (1.0 / before.max(1) as f64 + 1.0 / now.max(1) as f64).sqrt();
    let mut compared = Compared {
        feature: feature.to_owned(),
        verdict: Verdict::TooFew,
        because: None,
        reference_rows: rows(reference),
        current_rows: rows(current),
        threshold,
        distances: None,
    };
    if rows(reference) < limits.least || rows(current) < limits.least {
        return compared;
    }
    let found = drift::compare(feature, reference, current, threshold);
    let by_chance = CHANCE * (1.0 / rows(reference) as f64 + 1.0 / rows(current) as f64).sqrt();
    let apart = (found.missing_share_reference - found.missing_share_current).abs();
    (compared.verdict, compared.because) = match apart > limits.threshold + by_chance {
        true => (Verdict::Different, Some(Because::Missing)),
        false => judged(&found, (before, now), limits.least),
    };
    compared.distances = Some(found);
    compared
}

fn values(sample: &[f64]) -> u64 {
    sample.iter().filter(|value| value.is_finite()).count() as u64
}

fn judged(found: &DriftResult, (before, now): (u64, u64), least: u64) -> (Verdict, Option<Because>) {
    match () {
        // Neither says anything.
        () if before == 0 && now == 0 => (Verdict::Alike, None),
        () if before.min(now) < least => (Verdict::TooFew, None),
        () if found.drifted => (Verdict::Different, Some(Because::Distribution)),
        () => (Verdict::Alike, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { threshold: THRESHOLD, least: LEAST };

    /// Deterministic and irregular, between 0 and 10.09.
    fn irregular(rows: u32, seed: u32) -> Vec<f64> {
        (0..rows).map(|i| f64::from((i + seed) * 7919 % 1009) / 100.0).collect()
    }

    #[track_caller]
    fn check(reference: &[f64], current: &[f64], verdict: Verdict, because: Option<Because>) {
        let found = compare("x", reference, current, LIMITS);
        assert_eq!((found.verdict, found.because), (verdict, because), "{found:?}");
    }

    #[test]
    fn what_moved_is_different_and_what_did_not_is_alike() {
        let reference = irregular(4_000, 0);
        check(&reference, &irregular(600, 17), Verdict::Alike, None);
        let moved: Vec<f64> = irregular(600, 17).iter().map(|value| value + 3.0).collect();
        check(&reference, &moved, Verdict::Different, Some(Because::Distribution));
    }

    #[test]
    fn too_little_is_no_verdict() {
        let (reference, moved) = (irregular(4_000, 0), vec![99.0; 199]);
        check(&reference, &moved, Verdict::TooFew, None);
        check(&moved, &reference, Verdict::TooFew, None);
        check(&[], &[], Verdict::TooFew, None);
        let found = compare("x", &reference, &moved, LIMITS);
        assert_eq!((found.reference_rows, found.current_rows, found.distances), (4_000, 199, None));
        // Enough rows, and hardly a value among them on either side.
        let hardly: Vec<f64> = (0..1_000).map(|row| if row < 50 { f64::from(row) } else { f64::NAN }).collect();
        check(&hardly, &hardly, Verdict::TooFew, None);
        check(&reference, &[99.0; 500], Verdict::Different, Some(Because::Distribution));
    }

    #[test]
    fn what_is_missing_more_often_is_different() {
        let reference = irregular(1_000, 0);
        let gone = |share: usize| -> Vec<f64> {
            let rows = irregular(1_000, 5).into_iter().enumerate();
            rows.map(|(row, value)| if row % 100 < share { f64::NAN } else { value }).collect()
        };
        check(&reference, &gone(9), Verdict::Alike, None);
        check(&reference, &gone(25), Verdict::Different, Some(Because::Missing));
        check(&reference, &[f64::NAN; 600], Verdict::Different, Some(Because::Missing));
        check(&[f64::NAN; 600], &[f64::NAN; 700], Verdict::Alike, None);
    }

    /// What [`LEAST`] promises, on samples of an even distribution drawn by another generator.
    #[test]
    fn chance_alone_is_hardly_ever_a_difference() {
        let mut state = 1_u64;
        let mut drawn = |rows: usize| -> Vec<f64> {
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as f64 / f64::from(1_u32 << 31)
            };
            (0..rows).map(|_| next() + next()).collect()
        };
        let wrong = (0..300).filter(|_| {
            let (reference, current) = (drawn(4_000), drawn(200));
            compare("x", &reference, &current, LIMITS).verdict != Verdict::Alike
        });
        let wrong = wrong.count();
        assert!(wrong <= 3, "{wrong} of 300");
    }
}
