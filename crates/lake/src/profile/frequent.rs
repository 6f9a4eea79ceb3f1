//! The commonest texts (Misra and Gries, in the form of Anderson and others, <https://arxiv.org/abs/1705.07001>): counted
//! exactly while they are few; then the rarer half is forgotten from time to time, and every count loses what the greatest
//! of the forgotten had. A text that comes oftener than all that was lost is never missed.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::told::TopValue;

/// Texts kept when some are forgotten, which is when there are twice as many.
const KEPT: usize = 2_048;
/// Longer texts are nobody's favourite value, and cost memory.
const LONGEST: usize = 128;
const TOLD: usize = 10;

#[derive(Debug, Default)]
pub(super) struct Frequent {
    counts: HashMap<Box<str>, u64, FixedState>,
    lost: u64,
}

impl Frequent {
    pub fn add(&mut self, text: &str) {
        if text.len() > LONGEST {
            return;
        }
        if let Some(count) = self.counts.get_mut(text) {
            *count += 1;
            return;
        }
        self.counts.insert(text.into(), 1);
        if self.counts.len() > 2 * KEPT {
            self.forget();
        }
    }

    fn forget(&mut self) {
        let mut counts: Vec<u64> = self.counts.values().copied().collect();
        let (_, less, _) = counts.select_nth_unstable_by(KEPT, |one, other| other.cmp(one));
        let less = *less;
        self.counts.retain(|_, count| {
            *count = count.saturating_sub(less);
            *count > 0
        });
        self.lost += less;
    }

    /// The commonest, and by how much each count may be short.
    pub fn told(self) -> (Vec<TopValue>, u64) {
        let lost = self.lost;
        // What was counted less often than was lost may be as rare as any.
        let sure = self.counts.into_iter().filter(|(_, count)| lost == 0 || *count > lost);
        let mut top: Vec<TopValue> = sure.map(|(text, count)| TopValue { value: text.into(), count }).collect();
        top.sort_unstable_by(|one, other| other.count.cmp(&one.count).then_with(|| one.value.cmp(&other.value)));
        top.truncate(TOLD);
        (top, lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> (Vec<TopValue>, u64) {
        let mut frequent = Frequent::default();
        texts.into_iter().for_each(|text| frequent.add(text));
        frequent.told()
    }

    #[test]
    fn few_are_exact_and_in_order() {
        let long = "x".repeat(129);
        let (top, lost) = of(["b", "a", "c", "a", "b", &long]);
        let top: Vec<_> = top.iter().map(|one| (one.value.as_str(), one.count)).collect();
        assert_eq!((top, lost), (vec![("a", 2), ("b", 2), ("c", 1)], 0));
    }

    #[test]
    fn the_commonest_of_many_are_found_within_the_bound() {
        let rare: Vec<String> = (0..100_000).map(|n| format!("r{n}")).collect();
        let mut all: Vec<&str> = Vec::new();
        for (n, text) in rare.iter().enumerate() {
            all.push(text);
            if n.is_multiple_of(4) {
                all.push("common");
            }
            if n.is_multiple_of(10) {
                all.push("less");
            }
        }
        let (top, lost) = of(all);
        assert!(lost > 0 && lost < 1_000, "{lost}");
        for (at, (text, count)) in [("common", 25_000), ("less", 10_000)].into_iter().enumerate() {
            assert_eq!(top[at].value, text);
            assert!(top[at].count <= count && top[at].count + lost >= count, "{top:?} {lost}");
        }
        // Where every text is another there is no commonest.
        assert_eq!(of(rare.iter().map(String::as_str)).0, []);
    }
}
