//! A histogram in one pass, without knowing the bounds beforehand: bins are as wide as a power of two and begin at multiples
//! of it; when values come that do not fit into [`BINS`] of them, neighbours are put together. Counts stay exact, and the
//! bins depend on the values alone, not on their order.

use super::moments::bounds;
use super::told::Histogram;

const BINS: i64 = 40;
/// The exponents of the widths there are.
const WIDTHS: std::ops::RangeInclusive<i32> = -1_000..=1_020;

#[derive(Debug)]
pub(super) struct Bins {
    /// Whole numbers have no bins narrower than one.
    narrowest: i32,
    state: State,
}

#[derive(Debug)]
enum State {
    Nothing,
    /// All are the same so far: any width would do.
    Same {
        value: f64,
        count: u64,
    },
    Several(Several),
}

#[derive(Debug)]
struct Several {
    exponent: i32,
    least: f64,
    greatest: f64,
    /// The place of the first bin: it begins at `first * 2^exponent`.
    first: i64,
    counts: Vec<u64>,
}

impl Bins {
    pub fn new(whole_numbers: bool) -> Self {
        Self { narrowest: if whole_numbers { 0 } else { *WIDTHS.start() }, state: State::Nothing }
    }

    /// Of finite numbers.
    pub fn observe(&mut self, values: &[f64]) {
        let Some((least, greatest)) = bounds(values) else { return };
        if let State::Several(several) = &mut self.state {
            several.widen(least, greatest);
            return several.count(values);
        }
        let (before, count) = match self.state {
            State::Same { value, count } => (value, count),
            _ => (least, 0),
        };
        let (least, greatest) = (least.min(before), greatest.max(before));
        if least == greatest {
            self.state = State::Same { value: least, count: count + values.len() as u64 };
            return;
        }
        let mut several = Several::new(self.narrowest, least, greatest);
        several.add(before, count);
        several.count(values);
        self.state = State::Several(several);
    }

    /// None without a value.
    pub fn told(self) -> Option<Histogram> {
        match self.state {
            State::Nothing => None,
            State::Same { value, count } => Some(Histogram { start: value, width: 0.0, counts: vec![count] }),
            State::Several(several) => {
                let width = width(several.exponent);
                Some(Histogram { start: several.first as f64 * width, width, counts: several.counts })
            }
        }
    }
}

impl Several {
    fn new(narrowest: i32, least: f64, greatest: f64) -> Self {
        let exponent = fitting(narrowest, least, greatest);
        let first = place(least, exponent);
        Self { exponent, least, greatest, first, counts: vec![0; length(first, place(greatest, exponent))] }
    }

    /// Makes room for values from `least` to `greatest`.
    fn widen(&mut self, least: f64, greatest: f64) {
        if least >= self.least && greatest <= self.greatest {
            return;
        }
        let wider = Self::new(self.exponent, least.min(self.least), greatest.max(self.greatest));
        let before = std::mem::replace(self, wider);
        let apart = self.exponent - before.exponent;
        for (place, count) in (before.first..).zip(before.counts) {
            self.add_at(place >> apart, count);
        }
    }

    fn count(&mut self, values: &[f64]) {
        let one = 1.0 / width(self.exponent);
        for value in values {
            self.add_at((value * one).floor() as i64, 1);
        }
    }

    fn add(&mut self, value: f64, count: u64) {
        self.add_at(place(value, self.exponent), count);
    }

    fn add_at(&mut self, place: i64, count: u64) {
        let at = usize::try_from(place - self.first).unwrap_or_default();
        if let Some(bin) = self.counts.get_mut(at) {
            *bin += count;
        }
    }
}

/// The narrowest width, at least `narrowest`, at which the bounds are less than [`BINS`] bins apart.
fn fitting(narrowest: i32, least: f64, greatest: f64) -> i32 {
    let bins = BINS as f64;
    // One too narrow at most: then the next one fits.
    let guess = (greatest / bins - least / bins).log2().floor();
    let guess = guess.clamp((*WIDTHS.start()).into(), (*WIDTHS.end()).into()) as i32;
    let from = guess.max(narrowest);
    let fits = |exponent: &i32| place(greatest, *exponent) - place(least, *exponent) < BINS;
    (from..*WIDTHS.end()).find(fits).unwrap_or(*WIDTHS.end())
}

fn width(exponent: i32) -> f64 {
    2_f64.powi(exponent)
}

fn place(value: f64, exponent: i32) -> i64 {
    (value / width(exponent)).floor() as i64
}

fn length(first: i64, last: i64) -> usize {
    usize::try_from(last - first + 1).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(whole: bool, batches: &[&[f64]]) -> Histogram {
        let mut bins = Bins::new(whole);
        batches.iter().for_each(|batch| bins.observe(batch));
        bins.told().unwrap()
    }

    #[track_caller]
    fn check(whole: bool, batches: &[&[f64]], start: f64, width: f64, counts: &[u64]) {
        let told = of(whole, batches);
        assert_eq!((told.start, told.width, &told.counts[..]), (start, width, counts));
    }

    #[test]
    fn bins_fit_the_values() {
        check(true, &[&[3.0, 1.0, 1.0, 4.0]], 1.0, 1.0, &[2, 0, 1, 1]);
        check(true, &[&[5.0, 5.0], &[5.0]], 5.0, 0.0, &[3]);
        check(false, &[&[0.5], &[0.5, 0.75]], 0.5, 0.0078125, &[&[2][..], &[0; 31], &[1]].concat());
        assert!(Bins::new(true).told().is_none());
    }

    #[test]
    fn neighbours_are_put_together_when_values_come_from_afar() {
        let near: Vec<f64> = (0..40).map(f64::from).collect();
        check(true, &[&near, &[-80.0]], -80.0, 4.0, &[&[1][..], &[0; 19], &[4; 10]].concat());
    }

    #[test]
    fn the_order_and_the_batches_make_no_difference() {
        let values: Vec<f64> = (0..5_000_u32).map(|n| f64::from(n * 7_919 % 5_003) / 3.0 - 400.0).collect();
        let whole = of(false, &[&values]);
        assert_eq!(whole.counts.iter().sum::<u64>(), 5_000);
        assert!((20..=40).contains(&whole.counts.len()), "{whole:?}");
        for size in [1, 7, 1_000] {
            let batches: Vec<&[f64]> = values.chunks(size).rev().collect();
            assert_eq!(of(false, &batches), whole, "{size}");
        }
        for (at, count) in whole.counts.iter().enumerate() {
            let from = whole.start + at as f64 * whole.width;
            let within = values.iter().filter(|value| **value >= from && **value < from + whole.width).count();
            assert_eq!(within as u64, *count);
        }
    }

    #[test]
    fn no_bounds_are_too_far_apart_or_too_near() {
        for values in [
            [f64::MIN, f64::MAX],
            [0.0, f64::MIN_POSITIVE],
            [1e300, 1e300_f64.next_up()],
            [-5e-324, 5e-324],
            [i64::MIN as f64, i64::MAX as f64],
        ] {
            let told = of(false, &[&values]);
            assert_eq!(told.counts.iter().sum::<u64>(), 2, "{values:?}: {told:?}");
            assert!(told.counts.len() <= 40);
        }
    }
}
