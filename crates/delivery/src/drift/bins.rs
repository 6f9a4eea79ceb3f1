//! Two samples as shares of the same bins.

/// Up to so many distinct reference values are compared value by value.
const DISCRETE: usize = 20;

/// Shares of the reference and of the current sample, bin by bin; each sums to 1.
pub(super) struct Binned {
    pub reference: Vec<f64>,
    pub current: Vec<f64>,
}

impl Binned {
    /// Both samples sorted, finite and not empty.
    pub fn of(reference: &[f64], current: &[f64]) -> Self {
        if distinct(reference).len() <= DISCRETE {
            return Self::by_value(reference, current);
        }
        let edges = sturges_edges(reference, current);
        Self { reference: histogram(reference, &edges), current: histogram(current, &edges) }
    }

    fn by_value(reference: &[f64], current: &[f64]) -> Self {
        let mut values = [distinct(reference), distinct(current)].concat();
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        let shares = |sample: &[f64]| {
            let counts = values.iter().map(|value| up_to(sample, *value) - below(sample, *value));
            counts.map(|count| share(count, sample.len())).collect()
        };
        Self { reference: shares(reference), current: shares(current) }
    }
}

fn distinct(sorted: &[f64]) -> Vec<f64> {
    let mut values = sorted.to_vec();
    values.dedup();
    values
}

fn below(sorted: &[f64], value: f64) -> usize {
    sorted.partition_point(|other| *other < value)
}

fn up_to(sorted: &[f64], value: f64) -> usize {
    sorted.partition_point(|other| *other <= value)
}
fn share(count: usize, of: usize) -> f64 {
    count as f64 / of as f64
}

/// Edges of equal width over both samples, rounded as numpy's `histogram_bin_edges(…, "sturges")` rounds them.
fn sturges_edges(reference: &[f64], current: &[f64]) -> Vec<f64> {
    let low = reference[0].min(current[0]);
    let high = reference[reference.len() - 1].max(current[current.len() - 1]);
    let wanted = ((reference.len() + current.len()) as f64).log2() + 1.0;
    let width = (high - low) / wanted;
    // Through the width and back, as numpy goes: when `wanted` is whole, this rounding may add a bin. A range beyond
    // `f64` or below its resolution has no usable width.
    let exact = if width.is_normal() { (high - low) / width } else { wanted };
    let bins = exact.ceil() as usize;
    let step = high / bins as f64 - low / bins as f64;
    let step = if width.is_normal() { (high - low) / bins as f64 } else { step };
    (0..=bins).map(|i| if i == bins { high } else { i as f64 * step + low }).collect()
}

/// Bins are closed below and open above, the last closed on both sides.
fn histogram(sorted: &[f64], edges: &[f64]) -> Vec<f64> {
    let last = edges.len() - 1;
    let mut starts: Vec<usize> = edges[..last].iter().map(|edge| below(sorted, *edge)).collect();
    starts.push(sorted.len());
    starts.windows(2).map(|pair| share(pair[1] - pair[0], sorted.len())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_bins_of_their_own() {
        let binned = Binned::of(&[1.0, 1.0, 2.0, 5.0], &[2.0, 7.0]);
        assert_eq!(binned.reference, [0.5, 0.25, 0.25, 0.0]);
        assert_eq!(binned.current, [0.0, 0.5, 0.0, 0.5]);
    }

    #[test]
    fn every_value_falls_into_one_bin() {
        let reference: Vec<f64> = (0..40).map(f64::from).collect();
        let current: Vec<f64> = (-20..60).map(f64::from).collect();
        let binned = Binned::of(&reference, &current);
        assert_eq!(binned.reference.len(), 8);
        for shares in [binned.reference, binned.current] {
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}
