//! Quantiles of numbers: exact while they are few, then by a t-digest (Dunning, <https://arxiv.org/abs/1902.04023>).

use datafusion_functions_aggregate_common::tdigest::TDigest;

use super::told::QuantileTold;

const AT: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
const CENTROIDS: usize = 100;
/// Values gathered before the digest takes them in.
const GATHERED: usize = 32 * 1024;

#[derive(Debug)]
pub(super) struct Quantiles {
    gathered: Vec<f64>,
    digest: Option<TDigest>,
}

impl Quantiles {
    pub fn new() -> Self {
        Self { gathered: Vec::new(), digest: None }
    }

    /// Of finite numbers.
    pub fn observe(&mut self, values: &[f64]) {
        self.gathered.extend_from_slice(values);
        if self.gathered.len() > GATHERED {
            self.take_in();
        }
    }

    fn take_in(&mut self) {
        self.gathered.sort_unstable_by(f64::total_cmp);
        let digest = self.digest.take().unwrap_or_else(|| TDigest::new(CENTROIDS));
        self.digest = Some(digest.merge_sorted_f64(&self.gathered));
        self.gathered.clear();
    }

    pub fn told(mut self) -> Vec<QuantileTold> {
        if self.digest.is_some() && !self.gathered.is_empty() {
            self.take_in();
        }
        self.gathered.sort_unstable_by(f64::total_cmp);
        let value = |at: f64| match &self.digest {
            Some(digest) => Some(digest.estimate_quantile(at)),
            None => exact(&self.gathered, at),
        };
        AT.into_iter().filter_map(|at| Some(QuantileTold { at, value: value(at)? })).collect()
    }
}

/// Between two values, in proportion: Hyndman and Fan's seventh, as most programs have it.
fn exact(sorted: &[f64], at: f64) -> Option<f64> {
    let place = at * (sorted.len().checked_sub(1)?) as f64;
    let (below, part) = (place.floor(), place.fract());
    let low = *sorted.get(below as usize)?;
    let high = *sorted.get(below as usize + 1).unwrap_or(&low);
    Some(low + (high - low) * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Vec<f64> {
        let mut quantiles = Quantiles::new();
        values.chunks(8_192).for_each(|batch| quantiles.observe(batch));
        quantiles.told().into_iter().map(|told| told.value).collect()
    }

    #[test]
    fn few_are_exact() {
        assert_eq!(of(&[]), [0.0; 0]);
        assert_eq!(of(&[4.0]), [4.0; 7]);
        assert_eq!(of(&[4.0, 1.0, 3.0, 2.0, 5.0])[2..5], [2.0, 3.0, 4.0]);
        assert_eq!(of(&[1.0, 2.0])[3], 1.5);
    }

    #[test]
    fn many_are_close() {
        let values: Vec<f64> = (0..200_000_u32).map(|n| f64::from(n * 7_919 % 200_003)).collect();
        for (found, at) in of(&values).into_iter().zip(AT) {
            assert!((found / 200_003.0 - at).abs() < 0.005, "{at}: {found}");
        }
    }
}
