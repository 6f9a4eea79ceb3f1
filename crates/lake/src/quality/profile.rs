//! How a reference column's values are spread: the bins a drift check counts in, and what share each has there.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

/// The most bins numbers are counted in: a distance is blind to what happens within one.
const BINS: u64 = 256;
/// Words beyond the commonest are counted together.
const WORDS: usize = 100;

/// A reference. Bounded, whatever the table's size is.
#[derive(Clone, Debug, PartialEq)]
pub enum Profile {
    /// Bin `i` has the values above `edges[i - 1]` and up to `edges[i]`; the last one those above all edges.
    Numbers { edges: Vec<f64>, counts: Vec<u64> },
    /// A bin for each word, and the last for all others.
    Words { bins: HashMap<String, usize>, counts: Vec<u64> },
}

impl Profile {
    /// Of different numbers in ascending order with how often each comes.
    #[must_use]
    pub fn numbers(values: &[(f64, u64)]) -> Self {
        let total: u64 = values.iter().map(|(_, count)| count).sum();
        let each = if values.len() as u64 <= BINS { 1 } else { total.div_ceil(BINS) };
        let (mut edges, mut counts, mut gathered) = (Vec::new(), Vec::new(), 0);
        for (i, (value, count)) in values.iter().enumerate() {
            gathered += count;
            if gathered >= each || i + 1 == values.len() {
                edges.push(*value);
                counts.push(std::mem::take(&mut gathered));
            }
        }
        counts.push(0);
        Self::Numbers { edges, counts }
    }

    /// Of different words, the commonest first, with how often each comes.
    #[must_use]
    pub fn words(words: impl IntoIterator<Item = (String, u64)>) -> Self {
        let (mut bins, mut counts, mut others) = (HashMap::new(), Vec::new(), 0);
        for (word, count) in words {
            if counts.len() < WORDS {
                bins.insert(word, counts.len());
                counts.push(count);
            } else {
                others += count;
            }
        }
        counts.push(others);
        Self::Words { bins, counts }
    }

    pub(super) fn bins(&self) -> Bins<'_> {
        match self {
            Self::Numbers { edges, .. } => Bins::Numbers(edges.iter().map(|edge| edge.to_bits()).collect()),
            Self::Words { bins, .. } => Bins::Words(bins.iter().map(|(word, bin)| (word.as_str(), *bin)).collect()),
        }
    }

    pub(super) fn counts(&self) -> &[u64] {
        let (Self::Numbers { counts, .. } | Self::Words { counts, .. }) = self;
        counts
    }
}

/// What values are counted in, the same however a profile lies in memory.
#[derive(Debug, Serialize)]
pub(super) enum Bins<'a> {
    Numbers(Vec<u64>),
    Words(BTreeMap<&'a str, usize>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_have_a_bin_each_and_many_share_them_evenly() {
        let Profile::Numbers { edges, counts } = Profile::numbers(&[(1.0, 5), (3.0, 1)]) else { panic!() };
        assert_eq!((edges, counts), (vec![1.0, 3.0], vec![5, 1, 0]));
        let many: Vec<(f64, u64)> = (0..10_000_u32).map(|n| (f64::from(n), 2)).collect();
        let Profile::Numbers { edges, counts } = Profile::numbers(&many) else { panic!() };
        assert!(edges.len() <= 256 && edges.last() == Some(&9_999.0), "{}", edges.len());
        assert_eq!(counts.iter().sum::<u64>(), 20_000);
        assert!(counts[..counts.len() - 2].iter().all(|count| (78..=82).contains(count)), "{counts:?}");
    }

    #[test]
    fn rare_words_are_counted_together() {
        let words = (0..150_u64).map(|n| (format!("w{n}"), 200 - n));
        let profile = Profile::words(words);
        assert_eq!(profile.counts().len(), 101);
        assert_eq!(profile.counts()[100], (100..150).map(|n| 200 - n).sum::<u64>());
    }
}
