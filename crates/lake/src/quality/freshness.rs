//! How old the newest time of a column is.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::max;
use arrow::datatypes::TimestampMicrosecondType;
use bedplate_types::{Span, Timestamp};

use super::kept::{Seen, SeenTimes};
use super::told::{Told, number};

#[derive(Debug)]
pub(super) struct Freshness {
    max_age: Span,
    now: Timestamp,
    newest: Option<i64>,
    values: u64,
}

impl Freshness {
    pub fn new(max_age: Span, now: Timestamp) -> Self {
        Self { max_age, now, newest: None, values: 0 }
    }

    pub fn observe(&mut self, array: &ArrayRef) {
        self.newest = self.newest.max(max(array.as_primitive::<TimestampMicrosecondType>()));
        self.values += (array.len() - array.null_count()) as u64;
    }

    pub fn merge(&mut self, later: &Self) {
        self.newest = self.newest.max(later.newest);
        self.values += later.values;
    }

    pub fn fresh(&self) -> Self {
        Self::new(self.max_age, self.now)
    }

    pub fn kept(&self) -> Seen {
        Seen::Freshness(SeenTimes { newest: self.newest, values: self.values })
    }

    pub fn add(&mut self, seen: &SeenTimes) {
        self.merge(&Self { newest: seen.newest, values: seen.values, ..self.fresh() });
    }

    /// The value is the age in seconds; a time in the future is younger than any.
    pub fn told(&self) -> Told {
        let Some(newest) = self.newest else { return Told::nothing(false, "there is no time to tell an age of") };
        let age = i128::from(self.now.micros()) - i128::from(newest);
        let passed = age <= i128::from(self.max_age.micros());
        let seconds = age as f64 / 1e6;
        let newest = Timestamp::from_micros(newest);
        let detail = format!("the newest is {newest}, {} s old, expected at most {}", number(seconds), self.max_age);
        Told::whole(passed, self.values, seconds, detail)
    }
}
