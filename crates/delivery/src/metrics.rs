//! How well scores tell a binary label: AUC, log loss, Brier score.
//!
//! Each is `None` where it has no meaning: no rows, one class only (AUC), a NaN, slices of different lengths.

/// Area under the ROC curve by ranks (Mann-Whitney U), ties counted half. O(n log n).
#[must_use]
pub fn auc(scores: &[f64], labels: &[bool]) -> Option<f64> {
    if scores.len() != labels.len() || scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    let mut rows: Vec<(f64, bool)> = scores.iter().copied().zip(labels.iter().copied()).collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    Tally::of(&rows).auc()
}

/// Mean negative log likelihood of probabilities, clipped to [ε, 1-ε] with the ε of `f64` as scikit-learn clips them.
#[must_use]
pub fn log_loss(probabilities: &[f64], labels: &[bool]) -> Option<f64> {
    mean(probabilities, labels, |probability, label| {
        let clipped = probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        if label { -clipped.ln() } else { -(-clipped).ln_1p() }
    })
}

/// Mean squared distance of probabilities from the label as 0 or 1.
#[must_use]
pub fn brier(probabilities: &[f64], labels: &[bool]) -> Option<f64> {
    mean(probabilities, labels, |probability, label| (probability - f64::from(u8::from(label))).powi(2))
}
fn mean(probabilities: &[f64], labels: &[bool], loss: impl Fn(f64, bool) -> f64) -> Option<f64> {
    let sound = probabilities.iter().all(|probability| (0.0..=1.0).contains(probability));
    if probabilities.is_empty() || probabilities.len() != labels.len() || !sound {
        return None;
    }
    let total: f64 = probabilities.iter().zip(labels).map(|(probability, label)| loss(*probability, *label)).sum();
    Some(total / probabilities.len() as f64)
}

/// Positives, negatives, and twice the Mann-Whitney U of the positives: whole numbers, so no rounding.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub positives: u128,
    pub negatives: u128,
    pub twice_u: u128,
}

impl Tally {
    /// Rows must be sorted by value; equal values make one group.
    pub fn of(sorted: &[(f64, bool)]) -> Self {
        let groups = sorted.chunk_by(|a, b| a.0 == b.0);
        groups.fold(Self::default(), |tally, group| {
            let positives = group.iter().filter(|row| row.1).count() as u128;
            tally.then(positives, group.len() as u128 - positives)
        })
    }

    /// The tally with one more group, above all before it.
    pub fn then(self, positives: u128, negatives: u128) -> Self {
        Self {
            positives: self.positives + positives,
            negatives: self.negatives + negatives,
            twice_u: self.twice_u + positives * (2 * self.negatives + negatives),
        }
    }
    pub fn auc(self) -> Option<f64> {
        let pairs = self.positives * self.negatives;
        (pairs > 0).then(|| self.twice_u as f64 / (2 * pairs) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SCORES: [f64; 8] = [0.1, 0.4, 0.35, 0.8, 0.4, 0.9, 0.05, 0.6];
    const LABELS: [bool; 8] = [false, false, true, true, true, false, false, true];

    fn close(got: Option<f64>, want: f64) {
        let got = got.expect("a number");
        assert!((got - want).abs() < 1e-12, "{got} is not {want}");
    }

    /// Expected: scikit-learn 1.9.1, `roc_auc_score`, `log_loss`, `brier_score_loss` on the arrays above.
    #[test]
    fn agrees_with_scikit_learn() {
        close(auc(&SCORES, &LABELS), 0.65625);
        close(log_loss(&SCORES, &LABELS), 0.708768319782306);
        close(brier(&SCORES, &LABELS), 0.245625);
        close(log_loss(&[0.0, 1.0], &[true, true]), 18.0218266945586);
    }

    #[test]
    fn has_no_answer_where_there_is_none() {
        assert_eq!(auc(&[0.1, 0.2], &[true, true]), None);
        assert_eq!(auc(&[], &[]), None);
        assert_eq!(auc(&[f64::NAN, 0.2], &[true, false]), None);
        assert_eq!(auc(&[0.2], &[true, false]), None);
        assert_eq!(log_loss(&[], &[]), None);
        assert_eq!(log_loss(&[1.5], &[true]), None);
        assert_eq!(brier(&[f64::NAN], &[true]), None);
    }

    #[test]
    fn minus_zero_ties_with_zero() {
        assert_eq!(auc(&[-0.0, 0.0], &[false, true]), Some(0.5));
    }

    /// The share of (positive, negative) pairs in the right order, ties half.
    fn by_pairs(scores: &[f64], labels: &[bool]) -> Option<f64> {
        let of = |class| scores.iter().zip(labels).filter(move |(_, label)| **label == class).map(|(score, _)| *score);
        let (mut won, mut pairs) = (0.0, 0_u32);
        for positive in of(true) {
            for negative in of(false) {
                pairs += 1;
                won += if positive > negative { 1.0 } else { f64::from(u8::from(positive == negative)) / 2.0 };
            }
        }
        (pairs > 0).then(|| won / f64::from(pairs))
    }

    proptest! {
        #[test]
        fn auc_is_the_share_of_ordered_pairs(rows in proptest::collection::vec((-5_i8..5, any::<bool>()), 0..60)) {
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.0) / 3.0).collect();
            let labels: Vec<bool> = rows.iter().map(|row| row.1).collect();
            match (auc(&scores, &labels), by_pairs(&scores, &labels)) {
                (Some(ranks), Some(pairs)) => prop_assert!((ranks - pairs).abs() < 1e-12),
                (ranks, pairs) => prop_assert_eq!(ranks, pairs),
            }
        }
    }
}
