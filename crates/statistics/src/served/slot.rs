//! One view's hour.

use std::sync::atomic::{AtomicU64, Ordering};

use bedplate_sketches::RowSample;

use super::ROWS_A_SECOND;

/// Numbers that an hour's sample holds, and rows it has within that.
const NUMBERS: usize = 16_384;
const FEWEST: usize = 64;
const MOST: usize = 1_024;
/// Hours that ended and could not be kept yet.
const WAITING: usize = 24;

#[derive(Debug)]
pub struct Slot {
    width: usize,
    now: Hour,
    /// Those that ended.
    ended: Vec<Hour>,
    second: i64,
    taken: usize,
}

#[derive(Clone, Debug)]
struct Hour {
    /// `i64::MIN` before the first row.
    hour: i64,
    served: u64,
    /// How many were served when it was last kept.
    kept: u64,
    sample: RowSample,
}

impl Hour {
    fn new(hour: i64, width: usize) -> Self {
        let most = (NUMBERS / width.max(1)).clamp(FEWEST, MOST);
        Self { hour, served: 0, kept: 0, sample: RowSample::new(width, most) }
    }
}

impl Slot {
    pub fn new(width: usize) -> Self {
        Self { width, now: Hour::new(i64::MIN, width), ended: Vec::new(), second: i64::MIN, taken: 0 }
    }

    /// Goes on to an hour. What passed since the last time was served in the hour before, for the most part.
    pub fn turn(&mut self, hour: i64, passed: &AtomicU64) {
        if self.now.hour == i64::MIN {
            self.now.hour = hour;
        }
        self.now.served += passed.swap(0, Ordering::Relaxed);
        if self.now.hour != hour {
            let ended = std::mem::replace(&mut self.now, Hour::new(hour, self.width));
            if ended.served > ended.kept {
                self.ended.push(ended);
            }
            let too_many = self.ended.len().saturating_sub(WAITING);
            self.ended.drain(..too_many);
        }
    }

    /// So many rows are served in the hour it is at.
    pub fn serve(&mut self, rows: u64) {
        self.now.served += rows;
    }

    /// How many more rows of a second may be taken.
    pub fn left(&mut self, second: i64) -> usize {
        if self.second != second {
            (self.second, self.taken) = (second, 0);
        }
        ROWS_A_SECOND.saturating_sub(self.taken)
    }

    pub fn take(&mut self, lot: u64, row: impl Iterator<Item = f64>) {
        self.taken += 1;
        self.now.sample.take(lot, row);
    }

    /// Nothing was served in this hour, and everything before is kept.
    pub fn is_idle(&self) -> bool {
        self.now.served == 0 && self.ended.is_empty()
    }

    pub fn changed(&mut self) -> Vec<(i64, u64, RowSample)> {
        let hours = self.ended.iter_mut().chain([&mut self.now]).filter(|hour| hour.served > hour.kept);
        let told = hours.map(|hour| {
            hour.sample.settle();
            (hour.hour, hour.served, hour.sample.clone())
        });
        told.collect()
    }

    pub fn kept(&mut self, hour: i64, served: u64) {
        self.ended.retain(|ended| ended.hour != hour || ended.served > served);
        if self.now.hour == hour {
            self.now.kept = self.now.kept.max(served);
        }
    }
}
