//! Least, greatest, mean and deviation of numbers, batch by batch (Chan, Golub and LeVeque's way to add two parts up).

#[derive(Debug, Default)]
pub(super) struct Moments {
    count: f64,
    mean: f64,
    /// The sum of the squared distances from the mean.
    squares: f64,
    bounds: Option<(f64, f64)>,
}

impl Moments {
    /// Of finite numbers.
    pub fn observe(&mut self, values: &[f64]) {
        let Some(bounds) = bounds(values) else { return };
        let count = values.len() as f64;
        // From the first value on: a sum of large numbers that are close together would lose what sets them apart.
        let mean = values[0] + values.iter().map(|value| value - values[0]).sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let (total, apart) = (self.count + count, mean - self.mean);
        self.squares += squares + apart * apart * self.count * count / total;
        self.mean += apart * count / total;
        self.count = total;
        self.bounds = Some(match self.bounds {
            None => bounds,
            Some((least, greatest)) => (least.min(bounds.0), greatest.max(bounds.1)),
        });
    }

    pub fn bounds(&self) -> Option<(f64, f64)> {
        self.bounds
    }

    pub fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then_some(self.mean)
    }

    pub fn std(&self) -> Option<f64> {
        (self.count > 1.0).then(|| (self.squares / (self.count - 1.0)).sqrt())
    }
}

/// The least and the greatest.
pub(super) fn bounds(values: &[f64]) -> Option<(f64, f64)> {
    let first = *values.first()?;
    Some(values.iter().fold((first, first), |(least, greatest), value| (least.min(*value), greatest.max(*value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(batches: &[&[f64]], mean: f64, std: Option<f64>) {
        let mut moments = Moments::default();
        batches.iter().for_each(|batch| moments.observe(batch));
        assert!((moments.mean().unwrap() - mean).abs() < 1e-9, "{moments:?}");
        match std {
            None => assert_eq!(moments.std(), None),
            Some(std) => assert!((moments.std().unwrap() - std).abs() < 1e-9, "{moments:?}"),
        }
    }

    #[test]
    fn parts_add_up() {
        check(&[&[2.0, 4.0, 4.0, 4.0], &[5.0, 5.0], &[], &[7.0, 9.0]], 5.0, Some((32.0_f64 / 7.0).sqrt()));
        check(&[&[3.0]], 3.0, None);
        // Microseconds of one day: what sets them apart is far smaller than they are.
        let day = 1_372_636_800_000_000.0;
        check(&[&[day, day + 1.0], &[day + 2.0]], day + 1.0, Some(1.0));
        assert_eq!((Moments::default().mean(), Moments::default().bounds()), (None, None));
    }
}
