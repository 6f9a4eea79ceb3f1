//! Which rows of a view's source are said to be in the online store.

use bedplate_types::Timestamp;

/// Times whose rows are said to be there. Rows of other times may be: they were pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brought {
    /// Those known up to then.
    until: i64,
    /// And those of a range that somebody asked for, both ends included.
    asked: Option<(i64, i64)>,
}

impl Brought {
    /// Of every time.
    pub const ALL: Self = Self { until: i64::MAX, asked: None };

    /// Those known up to `until`; without it, all.
    #[must_use]
    pub fn until(until: Option<Timestamp>) -> Self {
        Self { until: until.map_or(i64::MAX, Timestamp::micros), asked: None }
    }

    /// And those of a range; without an end, to the end of time.
    #[must_use]
    pub fn and(self, from: Option<Timestamp>, until: Option<Timestamp>) -> Self {
        let asked = (from.map_or(i64::MIN, Timestamp::micros), until.map_or(i64::MAX, Timestamp::micros));
        Self { asked: Some(asked), ..self }
    }

    /// Whether a row known at `time` is said to be there.
    #[must_use]
    pub fn holds(&self, time: i64) -> bool {
        time <= self.until || self.asked.is_some_and(|(from, until)| (from..=until).contains(&time))
    }

    /// Rows of all times up to and with it are said to be there.
    #[must_use]
    pub fn whole_until(&self) -> i64 {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_counts_beside_what_comes_by_itself() {
        let at = |micros| Some(Timestamp::from_micros(micros));
        let brought = Brought::until(at(10)).and(at(20), at(30));
        assert_eq!(
            [i64::MIN, 10, 11, 19, 20, 30, 31].map(|time| brought.holds(time)),
            [true, true, false, false, true, true, false]
        );
        assert!(Brought::until(at(10)).and(None, None).holds(i64::MAX));
        assert_eq!(Brought::until(None), Brought::ALL);
    }
}
