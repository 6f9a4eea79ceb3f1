//! Quantiles of relative accuracy, in buckets whose bounds are bits of the numbers themselves.
//!
//! The idea is DDSketch's (Masson, Rim, Lee: DDSketch, VLDB 2019, <https://arxiv.org/abs/1908.10693>): buckets that grow with
//! the numbers in them. Here each stretch from a power of two to the next is cut into 64 equal buckets, so that a number's
//! bucket is the first bits of it and no logarithm is taken. The widest, just above a power of two, has bounds of ratio
//! 65/64: what lies at the harmonic mean of its bounds is within 1/129 of everything in it.

/// Bits that are not looked at: of the mantissa's 52 six remain.
const DROPPED: u32 = 46;
const SIGN: u64 = 1 << 63;

/// The quantiles of many numbers, infinite ones included, each within 1 % of itself.
///
/// Takes 8 bytes for each bucket that has numbers in it: 64 for each doubling that they span, on each side of zero. Numbers
/// nearer to zero than 2^-1022 are within 2^-1028 of themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quantiles {
    /// Buckets and how many numbers are in each, rising.
    buckets: Vec<(u32, u32)>,
    bounds: Option<(f64, f64)>,
}

impl Quantiles {
    /// `value` is a number: NaN is none, and -0.0 is to be 0.0.
    pub fn add(&mut self, value: f64) {
        self.widen(value, value);
        self.add_to(bucket(value), 1);
    }

    pub fn merge(&mut self, other: &Self) {
        let Some((least, greatest)) = other.bounds else { return };
        self.widen(least, greatest);
        // Where one is much smaller, its buckets are looked up in the other.
        if other.buckets.len() * 8 < self.buckets.len() {
            other.buckets.iter().for_each(|(bucket, count)| self.add_to(*bucket, *count));
        } else {
            self.buckets = together(&self.buckets, &other.buckets);
        }
    }

    /// About the value below which a part `q` of the numbers lies, `q` from 0 to 1: of `n` numbers in order the one at
    /// `floor(q * (n - 1))`, counted from 0. The least and the greatest are exact. `None` without numbers.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 numbers are counted")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and their number")]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let (least, greatest) = self.bounds?;
        let total: u64 = self.buckets.iter().map(|(_, count)| u64::from(*count)).sum();
        let rank = (q.clamp(0.0, 1.0) * (total - 1) as f64).floor() as u64;
        if rank == 0 || rank == total - 1 {
            return Some(if rank == 0 { least } else { greatest });
        }
        let mut before = 0;
        let bucket = self.buckets.iter().find(|(_, count)| {
            before += u64::from(*count);
            before > rank
        });
        bucket.map(|(bucket, _)| middle(*bucket).clamp(least, greatest))
    }

    /// What it holds besides itself, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<(u32, u32)>()
    }

    fn widen(&mut self, low: f64, high: f64) {
        let (least, greatest) = self.bounds.unwrap_or((low, high));
        self.bounds = Some((least.min(low), greatest.max(high)));
    }

    fn add_to(&mut self, bucket: u32, count: u32) {
        match self.buckets.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(place) => self.buckets[place].1 = self.buckets[place].1.saturating_add(count),
            Err(place) => self.buckets.insert(place, (bucket, count)),
        }
    }
}

/// Both lists' buckets, rising, counted together.
fn together(a: &[(u32, u32)], b: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut merged = Vec::with_capacity(a.len().max(b.len()));
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let Some((x, y)) = a.peek().zip(b.peek()) {
        let next = match x.0.cmp(&y.0) {
            std::cmp::Ordering::Less => **x,
            std::cmp::Ordering::Greater => **y,
            std::cmp::Ordering::Equal => (x.0, x.1.saturating_add(y.1)),
        };
        a.next_if(|(bucket, _)| *bucket == next.0);
        b.next_if(|(bucket, _)| *bucket == next.0);
        merged.push(next);
    }
    merged.extend(a.chain(b));
    merged
}

/// The bits of a number as one that orders like it, without the last: 18 remain.
fn bucket(value: f64) -> u32 {
    let bits = value.to_bits();
    let ordered = if bits & SIGN == 0 { bits | SIGN } else { !bits };
    (ordered >> DROPPED) as u32
}

/// The number that is relatively as far from the one bound of its bucket as from the other.
fn middle(bucket: u32) -> f64 {
    let ordered = u64::from(bucket) << DROPPED;
    let last = ordered | ((1 << DROPPED) - 1);
    // Towards zero, and away from it.
    let (near, far, sign) =
        if ordered & SIGN == 0 { (!last, !ordered, -1.0) } else { (ordered & !SIGN, last & !SIGN, 1.0) };
    let (near, far) = (f64::from_bits(near & !SIGN), f64::from_bits(far & !SIGN));
    // Of infinity's bucket only the near bound is a number; of zero's the harmonic mean is zero.
    let middle = if near.is_infinite() || near == 0.0 { near } else { near * (2.0 / (1.0 + near / far)) };
    // There is one zero.
    sign * middle + 0.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[f64]) -> Quantiles {
        let mut quantiles = Quantiles::default();
        values.iter().for_each(|value| quantiles.add(*value));
        quantiles
    }

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            4 => -1e3..1e3_f64,
            2 => (-3..4_i8).prop_map(f64::from),
            2 => any::<f64>().prop_filter("a number", |value| !value.is_nan()).prop_map(|value| value + 0.0),
            1 => prop::sample::select(vec![
                f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, -5e-324, 0.0,
            ]),
        ]
    }

    fn is_near(found: f64, exact: f64) -> bool {
        found == exact || (found - exact).abs() <= 0.01 * exact.abs() || (found - exact).abs() <= 2_f64.powi(-1028)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn each_quantile_is_within_one_percent_of_the_exact_one(
            mut values in prop::collection::vec(number(), 1..200),
            q in 0.0..=1.0_f64,
        ) {
            let sketch = of(&values);
            values.sort_by(f64::total_cmp);
            let exact = values[(q * (values.len() - 1) as f64).floor() as usize];
            let found = sketch.quantile(q).unwrap();
            prop_assert!(is_near(found, exact), "{found} for {exact}");
            prop_assert_eq!(sketch.quantile(0.0), values.first().copied());
            prop_assert_eq!(sketch.quantile(1.0), values.last().copied());
        }

        #[test]
        fn parts_and_order_change_no_bit(mut values in prop::collection::vec(number(), 0..200), cut in any::<prop::sample::Index>()) {
            let whole = of(&values);
            values.reverse();
            let (a, b) = values.split_at(cut.index(values.len() + 1));
            let (mut merged, mut turned) = (of(a), of(b));
            merged.merge(&of(b));
            turned.merge(&of(a));
            prop_assert_eq!(&merged, &whole);
            prop_assert_eq!(&turned, &whole);
        }

        #[test]
        fn a_buckets_middle_is_in_it(value in number()) {
            let middle = middle(bucket(value));
            let is_tiny = value.abs() < 2_f64.powi(-1028);
            prop_assert!(if is_tiny { middle == 0.0 } else { bucket(middle) == bucket(value) }, "{middle}");
        }
    }

    #[test]
    fn nothing_has_no_quantile_and_one_value_is_exact() {
        assert_eq!(Quantiles::default().quantile(0.5), None);
        for value in [-7.3, 0.0, 1e300, f64::INFINITY] {
            assert_eq!(of(&[value; 3]).quantile(0.5), Some(value));
        }
    }

    #[test]
    fn what_it_takes_goes_with_the_span_and_not_with_the_number() {
        let values: Vec<f64> = (1..100_000).map(|i| f64::from(i) / 100.0).collect();
        assert!(of(&values).bytes() < 16 * 1024, "{}", of(&values).bytes());
    }
}
