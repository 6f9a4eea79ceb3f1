//! A set of whole numbers that grows with a table: a bitmap as long as they lie close together, a hash set when not.

use std::collections::HashSet;

use foldhash::fast::RandomState;

const BITS: i64 = 64;
/// The bitmap may always have so many words (16 MiB) …
const SMALL: usize = 1 << 21;
/// … and beyond that so many for each number in it: no more than a hash set would take.
const WORDS_EACH: usize = 2;

#[derive(Debug)]
pub(super) enum Integers {
    /// Bit `n` of word `w` stands for `(first + w) * 64 + n`.
    Dense {
        first: i64,
        words: Vec<u64>,
        len: usize,
    },
    Sparse(HashSet<i64, RandomState>),
}

impl Default for Integers {
    fn default() -> Self {
        Self::Dense { first: 0, words: Vec::new(), len: 0 }
    }
}

impl Integers {
    /// Whether it was not there before.
    #[inline]
    pub fn insert(&mut self, number: i64) -> bool {
        match self {
            Self::Sparse(set) => return set.insert(number),
            Self::Dense { first, words, len } => {
                let at = usize::try_from((number >> 6) - *first).unwrap_or(usize::MAX);
                if let Some(word) = words.get_mut(at) {
                    let bit = 1 << (number & (BITS - 1));
                    let new = *word & bit == 0;
                    *word |= bit;
                    *len += usize::from(new);
                    return new;
                }
            }
        }
        self.make_room(number >> 6);
        self.insert(number)
    }

    pub fn iter(&self) -> Box<dyn Iterator<Item = i64> + '_> {
        match self {
            Self::Sparse(set) => Box::new(set.iter().copied()),
            // Room at the end may lie beyond the last number: only words with a bit are looked at.
            Self::Dense { first, words, .. } => {
                let used = words.iter().enumerate().filter(|(_, word)| **word != 0);
                Box::new(used.flat_map(move |(w, word)| {
                    let base = (first + i64::try_from(w).unwrap_or(i64::MAX)) * BITS;
                    (0..BITS).filter(move |n| word & (1 << n) != 0).map(move |n| base + n)
                }))
            }
        }
    }

    /// Makes the bitmap reach the word, with room beyond it; a hash set where that would be wasteful.
    fn make_room(&mut self, word: i64) {
        let Self::Dense { first, words, len } = self else { return };
        let length = i64::try_from(words.len()).unwrap_or(i64::MAX);
        let (low, high) = if length == 0 { (word, word) } else { (word.min(*first), word.max(*first + length - 1)) };
        let needed = usize::try_from(high - low + 1).unwrap_or(usize::MAX);
        if needed > SMALL.max(*len * WORDS_EACH) {
            *self = Self::Sparse(self.iter().collect());
            return;
        }
        // Half as much again, on the side that was too short.
        let spare = i64::try_from(needed / 2 + 16).unwrap_or(0);
        let low = if low < *first && length > 0 { low - spare } else { low };
        let high = if high == word { high + spare } else { high };
        let mut wider = vec![0; usize::try_from(high - low + 1).unwrap_or(needed)];
        let shift = if length == 0 { 0 } else { usize::try_from(*first - low).unwrap_or(0) };
        wider[shift..shift + words.len()].copy_from_slice(words);
        (*first, *words) = (low, wider);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers() -> impl Strategy<Value = Vec<i64>> {
        let near = prop::collection::vec(-500..500_i64, 0..300);
        let far = prop::collection::vec(prop_oneof![any::<i64>(), -3..3_i64, Just(i64::MIN), Just(i64::MAX)], 0..50);
        prop_oneof![near, far]
    }

    proptest! {
        #[test]
        fn it_is_a_set(numbers in numbers()) {
            let (mut ours, mut theirs) = (Integers::default(), HashSet::new());
            for number in numbers {
                prop_assert_eq!(ours.insert(number), theirs.insert(number), "{}", number);
            }
            let found: HashSet<i64> = ours.iter().collect();
            prop_assert_eq!(found, theirs);
        }
    }

    #[test]
    fn far_numbers_do_not_make_a_huge_bitmap() {
        let mut set = Integers::default();
        assert!(set.insert(5) && set.insert(i64::MAX) && !set.insert(5));
        assert!(matches!(set, Integers::Sparse(_)));
        let mut close = Integers::default();
        assert!((0..1_000_000).rev().all(|n| close.insert(n)));
        assert!(matches!(close, Integers::Dense { .. }));
    }
}
