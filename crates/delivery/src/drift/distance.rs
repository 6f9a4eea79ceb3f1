//! The distances themselves.

use super::bins::Binned;

/// What an empty bin counts as in a logarithm.
const EMPTY: f64 = 1e-4;

/// Population stability index: Σ (reference - current) ln(reference / current), empty bins filled.
pub(super) fn psi(binned: &Binned) -> f64 {
    let (reference, current) = (filled(&binned.reference), filled(&binned.current));
    reference.iter().zip(&current).map(|(r, c)| (r - c) * (r / c).ln()).sum()
}

/// Empty bins get 1e-4, or a millionth of the smallest share where that is no larger than 1e-4.
fn filled(shares: &[f64]) -> Vec<f64> {
    let smallest = shares.iter().copied().filter(|share| *share > 0.0).fold(f64::INFINITY, f64::min);
    let empty = if smallest <= EMPTY { smallest / 1e6 } else { EMPTY };
    shares.iter().map(|share| if *share > 0.0 { *share } else { empty }).collect()
}

/// Jensen-Shannon distance, the square root of the divergence in nats: 0 to √(ln 2).
pub(super) fn jensen_shannon(binned: &Binned) -> f64 {
    let pairs = binned.reference.iter().zip(&binned.current);
    let divergence: f64 =
        pairs.map(|(r, c)| relative_entropy(*r, (r + c) / 2.0) + relative_entropy(*c, (r + c) / 2.0)).sum();
    // Rounding may take equal distributions a hair below 0.
    (divergence.max(0.0) / 2.0).sqrt()
}

fn relative_entropy(share: f64, middle: f64) -> f64 {
    if share > 0.0 { share * (share / middle).ln() } else { 0.0 }
}

/// Wasserstein-1 distance of two sorted samples: the area between their distribution functions.
pub(super) fn wasserstein(reference: &[f64], current: &[f64]) -> f64 {
    let (mut r, mut c, mut area) = (0, 0, 0.0);
    let mut at = reference[0].min(current[0]);
    while r < reference.len() || c < current.len() {
        let next = [reference.get(r), current.get(c)].into_iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let gap = (r as f64 / reference.len() as f64 - c as f64 / current.len() as f64).abs();
        // No gap adds no area, however far the next value: ∞ · 0 would be NaN.
        area += if gap > 0.0 { gap * (next - at) } else { 0.0 };
        r += reference[r..].iter().take_while(|value| **value <= next).count();
        c += current[c..].iter().take_while(|value| **value <= next).count();
        at = next;
    }
    area
}

/// Of a whole population (numpy's ddof 0).
pub(super) fn standard_deviation(values: &[f64]) -> f64 {
    let rows = values.len() as f64;
    // Divided first, so that the sum of large values stays within `f64`.
    let mean: f64 = values.iter().map(|value| value / rows).sum();
    values.iter().map(|value| (value - mean).powi(2) / rows).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_every_value_by_a_step_costs_the_step() {
        assert!((wasserstein(&[0.0, 1.0, 3.0], &[5.0, 6.0, 8.0]) - 5.0).abs() < 1e-12);
        // scipy.stats.wasserstein_distance([1, 2, 2, 9], [0, 4])
        assert!((wasserstein(&[1.0, 2.0, 2.0, 9.0], &[0.0, 4.0]) - 2.5).abs() < 1e-12);
    }

    #[test]
    fn a_tiny_smallest_share_makes_a_tinier_filling() {
        assert_eq!(filled(&[0.5, 0.5, 0.0])[2], 1e-4);
        assert_eq!(filled(&[0.999_95, 0.000_05, 0.0])[2], 0.000_05 / 1e6);
    }
}
