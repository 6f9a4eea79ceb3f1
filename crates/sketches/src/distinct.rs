//! How many different numbers there are: counted while they are few, then estimated.

use crate::{HyperLogLog, mixed};

/// So many are counted: they take the bytes of the registers that come after them.
const COUNTED: usize = 512;

/// The different ones of many numbers.
///
/// Exact up to 512 of them; beyond, HyperLogLog in 4 KiB with a standard error of 1.6 %.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distinct(Seen);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// Hashes, rising. Different numbers have different ones.
    Counted(Vec<u64>),
    Estimated(HyperLogLog<12>),
}

impl Default for Distinct {
    fn default() -> Self {
        Self(Seen::Counted(Vec::new()))
    }
}

impl Distinct {
    /// Numbers are one when their bits are: the caller sees to it that there is one zero, and one NaN or none.
    pub fn add(&mut self, value: f64) {
        self.add_hash(mixed(value.to_bits()));
    }

    pub fn merge(&mut self, other: &Self) {
        match (&mut self.0, &other.0) {
            (Seen::Estimated(mine), Seen::Estimated(theirs)) => mine.merge(theirs),
            (Seen::Counted(_), Seen::Estimated(theirs)) => {
                let mine = std::mem::replace(&mut self.0, Seen::Estimated(theirs.clone()));
                self.add_all(&mine);
            }
            (_, theirs @ Seen::Counted(_)) => self.add_all(theirs),
        }
    }

    /// A whole number.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "at most 512")]
    pub fn estimate(&self) -> f64 {
        match &self.0 {
            Seen::Counted(hashes) => hashes.len() as f64,
            Seen::Estimated(sketch) => sketch.estimate().round(),
        }
    }

    /// What it holds besides itself, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match &self.0 {
            Seen::Counted(hashes) => hashes.capacity() * size_of::<u64>(),
            Seen::Estimated(sketch) => sketch.bytes(),
        }
    }

    fn add_all(&mut self, counted: &Seen) {
        if let Seen::Counted(hashes) = counted {
            hashes.iter().for_each(|hash| self.add_hash(*hash));
        }
    }

    fn add_hash(&mut self, hash: u64) {
        match &mut self.0 {
            Seen::Estimated(sketch) => sketch.add(hash),
            Seen::Counted(hashes) => {
                if let Err(place) = hashes.binary_search(&hash) {
                    hashes.insert(place, hash);
                }
                if hashes.len() > COUNTED {
                    let mut sketch = HyperLogLog::default();
                    hashes.iter().for_each(|hash| sketch.add(*hash));
                    self.0 = Seen::Estimated(sketch);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: impl IntoIterator<Item = f64>) -> Distinct {
        let mut distinct = Distinct::default();
        values.into_iter().for_each(|value| distinct.add(value));
        distinct
    }

    #[test]
    fn few_are_counted_and_many_are_within_four_standard_errors() {
        for count in [0, 1, 511, 512] {
            assert_eq!(of((0..count).chain(0..count).map(f64::from)).estimate(), f64::from(count));
        }
        for (count, step) in [(513, 1.0), (10_000, 0.1), (300_000, 1e-6)] {
            let found = of((0..count).map(|i| f64::from(i) * step)).estimate();
            assert!((found / f64::from(count) - 1.0).abs() < 0.065, "{found} of {count}");
        }
    }

    proptest! {
        #[test]
        fn parts_and_order_change_no_bit(
            mut values in prop::collection::vec(-700..700_i16, 0..1500),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        ) {
            let whole = of(values.iter().map(|value| f64::from(*value)));
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(values.len() + 1)).collect();
            cuts.sort_unstable();
            values.reverse();
            let (mut merged, mut start) = (Distinct::default(), 0);
            for end in cuts.into_iter().chain([values.len()]) {
                merged.merge(&of(values[start..end].iter().map(|value| f64::from(*value))));
                start = end;
            }
            prop_assert_eq!(&merged, &whole);
            let mut turned = of(values.iter().take(3).map(|value| f64::from(*value)));
            turned.merge(&whole);
            prop_assert_eq!(turned, whole);
        }
    }
}
