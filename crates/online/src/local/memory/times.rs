//! When the rows of a chunk became known.

use super::table::CHUNK;

/// One time for all while they are alike, as they are when a batch tells of one moment: a tenth of a row of six values.
pub(super) enum Times {
    Same(i64),
    Each(Vec<i64>),
}

impl Default for Times {
    fn default() -> Self {
        Self::Same(0)
    }
}

impl Times {
    pub(super) fn get(&self, at: usize) -> i64 {
        match self {
            Self::Same(time) => *time,
            Self::Each(times) => times[at],
        }
    }

    /// Of a slot there is, or of the next one; there are `slots`.
    pub(super) fn put(&mut self, at: usize, slots: usize, time: i64) {
        match self {
            Self::Same(all) if slots == 0 => *all = time,
            Self::Same(all) if *all == time => {}
            Self::Same(all) => {
                let mut times = Vec::with_capacity(CHUNK as usize);
                times.resize(slots, *all);
                *self = Self::Each(times);
                self.put(at, slots, time);
            }
            Self::Each(times) if at == times.len() => times.push(time),
            Self::Each(times) => times[at] = time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(times: &Times, slots: usize) -> Vec<i64> {
        (0..slots).map(|at| times.get(at)).collect()
    }

    #[test]
    fn alike_they_are_one_and_each_comes_back() {
        let mut times = Times::default();
        (0..3).for_each(|at| times.put(at, at, 7));
        times.put(1, 3, 7);
        assert!(matches!(times, Times::Same(7)));
        times.put(3, 3, 9);
        times.put(0, 4, -1);
        times.put(4, 4, 7);
        assert_eq!(all(&times, 5), [-1, 7, 7, 9, 7]);
    }

    #[test]
    fn one_that_is_replaced_parts_from_the_others() {
        let mut times = Times::default();
        (0..3).for_each(|at| times.put(at, at, 7));
        times.put(1, 3, 8);
        assert_eq!(all(&times, 3), [7, 8, 7]);
        times.put(3, 3, 7);
        assert_eq!(all(&times, 4), [7, 8, 7, 7]);
    }
}
