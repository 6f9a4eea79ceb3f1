//! A quantile of a column, estimated by a t-digest (Dunning, <https://arxiv.org/abs/1902.04023>) of `CENTROIDS` centroids.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;
use datafusion_functions_aggregate_common::tdigest::{Centroid, TDigest};

use super::kept::{Seen, SeenDigest};
use super::told::{Limits, Told, number};

const CENTROIDS: usize = 200;
/// Values gathered before the digest takes them in: sorting many at once is cheaper.
const GATHERED: usize = 32 * 1024;

#[derive(Debug)]
pub(super) struct Quantile {
    quantile: f64,
    limits: Limits,
    digest: TDigest,
    gathered: Vec<f64>,
}

impl Quantile {
    pub fn new(quantile: f64, limits: Limits) -> Self {
        Self { quantile, limits, digest: TDigest::new(CENTROIDS), gathered: Vec::new() }
    }

    /// Nulls and NaN are left out.
    pub fn observe(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        let values = cast(array, &DataType::Float64)?;
        let values = values.as_primitive::<Float64Type>();
        match values.nulls() {
            None => self.gathered.extend(values.values().iter().filter(|value| !value.is_nan())),
            Some(_) => self.gathered.extend(values.iter().flatten().filter(|value| !value.is_nan())),
        }
        if self.gathered.len() >= GATHERED {
            self.take_in();
        }
        Ok(())
    }

    fn take_in(&mut self) {
        self.gathered.sort_unstable_by(f64::total_cmp);
        self.digest = self.digest.merge_sorted_f64(&self.gathered);
        self.gathered.clear();
    }

    pub fn merge(&mut self, mut later: Self) {
        self.take_in();
        later.take_in();
        if later.digest.count() > 0.0 {
            self.digest = TDigest::merge_digests([&self.digest, &later.digest]);
        }
    }

    pub fn fresh(&self) -> Self {
        Self::new(self.quantile, self.limits)
    }

    pub fn kept(&mut self) -> Seen {
        self.take_in();
        let centroids = self.digest.centroids().iter().map(|one| (one.mean().into(), one.weight().into()));
        Seen::Quantile(SeenDigest {
            sum: self.digest.sum().into(),
            count: self.digest.count().into(),
            least: self.digest.min().into(),
            greatest: self.digest.max().into(),
            centroids: centroids.collect(),
        })
    }

    /// False where it is no digest.
    pub fn add(&mut self, seen: &SeenDigest) -> bool {
        let centroids = seen.centroids.iter().map(|(mean, weight)| Centroid::new((*mean).into(), (*weight).into()));
        let (sum, count, centroids) = (seen.sum.into(), seen.count.into(), centroids.collect());
        let digest = TDigest::try_from_parts(CENTROIDS, sum, count, seen.greatest.into(), seen.least.into(), centroids);
        let Ok(digest) = digest else { return false };
        self.merge(Self { digest, ..self.fresh() });
        true
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of rows, kept as a float")]
    pub fn told(mut self) -> Told {
        self.take_in();
        let count = self.digest.count() as u64;
        if count == 0 {
            return Told::nothing(false, "there is no value to take a quantile of");
        }
        let value = self.digest.estimate_quantile(self.quantile);
        let (at, expected) = (number(self.quantile), self.limits.expected());
        let detail = format!("the quantile {at} of {count} values is about {} (t-digest){expected}", number(value));
        Told::whole(self.limits.have(value), count, value, detail)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Float64Array;

    use super::*;

    #[test]
    fn it_is_close_in_one_pass_and_merged() {
        // 0 to 99,999 in an irregular order.
        let values: Vec<f64> = (0..100_000_u32).map(|n| f64::from(n * 7_919 % 100_000)).collect();
        let pieces: Vec<ArrayRef> =
            values.chunks(8_192).map(|piece| Arc::new(Float64Array::from(piece.to_vec())) as ArrayRef).collect();
        for quantile in [0.01, 0.5, 0.95, 0.999] {
            let new = || Quantile::new(quantile, Limits::default());
            let (mut whole, mut first, mut second) = (new(), new(), new());
            pieces.iter().for_each(|piece| whole.observe(piece).unwrap());
            pieces[..5].iter().for_each(|piece| first.observe(piece).unwrap());
            pieces[5..].iter().for_each(|piece| second.observe(piece).unwrap());
            first.merge(second);
            for told in [whole.told(), first.told()] {
                let off = (told.value.unwrap() - quantile * 100_000.0).abs() / 100_000.0;
                assert!(off < 0.005, "{quantile}: {}", told.detail);
                assert_eq!(told.observed, 100_000);
            }
        }
    }
}
