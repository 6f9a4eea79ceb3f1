//! Whether a value is what it should be.

/// What one value comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The online store says what a training set would.
    Equal,
    /// It does not, and is not to: of rows beyond those that the source was to bring, some were pushed that it does not have, or it
    /// has some that were not pushed.
    Expected,
    Different,
}

/// To the last bit. Missing equals missing; there is no NaN, and one zero.
#[must_use]
pub fn judge(online: Option<f64>, offline: Option<f64>, promised: Option<f64>) -> Verdict {
    let online = online.map(f64::to_bits);
    if online == offline.map(f64::to_bits) {
        Verdict::Equal
    } else if online == promised.map(f64::to_bits) {
        Verdict::Expected
    } else {
        Verdict::Different
    }
}

/// How bad a difference is: one of a missing value is the worst, infinitely so.
pub fn distance(online: Option<f64>, promised: Option<f64>) -> f64 {
    match online.zip(promised) {
        Some((online, promised)) => (online - promised).abs(),
        None => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_is_equal_to_the_last_bit() {
        let next = f64::from_bits(0.1_f64.to_bits() + 1);
        let check = |online, offline, promised, wanted| assert_eq!(judge(online, offline, promised), wanted);
        check(Some(0.1), Some(0.1), Some(0.1), Verdict::Equal);
        check(None, None, None, Verdict::Equal);
        check(Some(next), Some(0.1), Some(0.1), Verdict::Different);
        check(None, Some(0.0), Some(0.0), Verdict::Different);
        check(Some(0.0), None, None, Verdict::Different);
        check(Some(2.0), Some(1.0), Some(2.0), Verdict::Expected);
        check(Some(1.0), Some(1.0), Some(2.0), Verdict::Equal);
        check(Some(f64::INFINITY), Some(f64::INFINITY), None, Verdict::Equal);
    }

    #[test]
    fn what_is_missing_is_the_worst() {
        assert!(distance(None, Some(0.0)) > distance(Some(1e300), Some(0.0)));
        assert_eq!(distance(Some(1.0), Some(3.5)), 2.5);
    }
}
