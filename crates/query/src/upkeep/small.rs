//! Which small files are joined into one.

use std::ops::Range;

/// A data file shall not become larger by being joined with others, in bytes.
pub const TARGET: u64 = 128 << 20;

/// Runs of neighbours that fit into one file, of files in the order they are read; each has two at least.
pub(super) fn runs(bytes: &[u64], target: u64) -> Vec<Range<usize>> {
    let (mut runs, mut start, mut sum) = (Vec::new(), 0, 0_u64);
    let mut end = |run: Range<usize>| runs.extend((run.len() > 1).then_some(run));
    for (at, size) in bytes.iter().enumerate() {
        if sum.saturating_add(*size) > target {
            end(start..at);
            (start, sum) = (at, 0);
        }
        sum = sum.saturating_add(*size);
    }
    end(start..bytes.len());
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_joined_as_far_as_they_fit() {
        assert_eq!(runs(&[1, 2, 3, 4], 10), vec![0..4]);
        assert_eq!(runs(&[1, 2, 9, 1, 1], 10), vec![0..2, 2..4]);
        assert_eq!(runs(&[99, 1, 1, 99, 1], 10), vec![1..3]);
        for alone in [&[][..], &[5], &[11, 11], &[6, 6, 6]] {
            assert!(runs(alone, 10).is_empty(), "{alone:?}");
        }
    }

    #[test]
    fn no_run_is_too_large_and_no_two_could_be_one() {
        let mut seed = 7_u64;
        for length in 0..200 {
            let mut next = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 33) % 40
            };
            let bytes: Vec<u64> = (0..length).map(|_| next()).collect();
            let runs = runs(&bytes, 100);
            let sum = |run: &Range<usize>| bytes[run.clone()].iter().sum::<u64>();
            assert!(runs.iter().all(|run| run.len() > 1 && sum(run) <= 100), "{bytes:?}: {runs:?}");
            assert!(runs.windows(2).all(|two| two[0].end <= two[1].start), "{bytes:?}: {runs:?}");
            let joined = |two: &[Range<usize>]| two[0].end == two[1].start && sum(&two[0]) + sum(&two[1]) <= 100;
            assert!(!runs.windows(2).any(joined), "{bytes:?}: {runs:?}");
        }
    }
}
