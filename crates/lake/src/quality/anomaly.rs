//! Is what an expectation observed far from what the last ingests observed? A robust z-score (Iglewicz and Hoaglin, 1993).

use bedplate_kinds::MIN_HISTORY;

use super::told::{Told, number};

/// Makes the median absolute deviation of a normal distribution its standard deviation, and the mean one.
const BY_MEDIAN: f64 = 1.4826;
const BY_MEAN: f64 = 1.2533;

#[derive(Debug)]
pub(super) struct Anomaly {
    pub of: String,
    pub deviations: f64,
    /// What the last ingests observed.
    pub history: Vec<f64>,
}

impl Anomaly {
    /// The value is the score.
    pub fn told(&self, value: Option<f64>) -> Told {
        let looked_at = self.history.len();
        if looked_at < MIN_HISTORY as usize {
            return Told::nothing(true, format!("{looked_at} earlier ingests, and {MIN_HISTORY} are needed to judge"));
        }
        let Some(value) = value else { return Told::nothing(false, format!("{} observed nothing", self.of)) };
        let (median, score) = score(&self.history, value);
        let detail = format!(
            "{} observed {}: {} deviations from {}, the median of the last {looked_at} ingests, expected at most {}",
            self.of,
            number(value),
            number(score),
            number(median),
            number(self.deviations)
        );
        Told::whole(score <= self.deviations, looked_at as u64, score, detail)
    }
}

/// The history's median, and how far the value is from it. Where the history never changed, any change is infinitely far.
fn score(history: &[f64], value: f64) -> (f64, f64) {
    let middle = median(history.to_vec());
    let distances: Vec<f64> = history.iter().map(|known| (known - middle).abs()).collect();
    let mean = distances.iter().sum::<f64>() / distances.len() as f64;
    let by_median = BY_MEDIAN * median(distances);
    let deviation = if by_median > 0.0 { by_median } else { BY_MEAN * mean };
    let distance = (value - middle).abs();
    let score = match (distance > 0.0, deviation > 0.0) {
        (false, _) => 0.0,
        (true, true) => distance / deviation,
        (true, false) => f64::INFINITY,
    };
    (middle, score)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len().is_multiple_of(2) { f64::midpoint(values[half - 1], values[half]) } else { values[half] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(history: &[f64], value: f64, passed: bool) {
        let anomaly = Anomaly { of: "rows".into(), deviations: 3.5, history: history.to_vec() };
        let told = anomaly.told(Some(value));
        assert_eq!(told.passed, passed, "{}", told.detail);
    }

    #[test]
    fn an_outlier_is_one_whatever_outliers_were_before() {
        let usual = [100.0, 103.0, 98.0, 101.0, 99.0, 5_000.0];
        check(&usual, 104.0, true);
        check(&usual, 200.0, false);
        check(&usual, 0.0, false);
    }

    #[test]
    fn a_history_that_hardly_changed_is_judged_by_its_mean_deviation() {
        let (middle, score) = score(&[10.0, 10.0, 10.0, 10.0, 20.0], 15.0);
        assert!((middle - 10.0).abs() < 1e-12 && (score - 5.0 / (1.2533 * 2.0)).abs() < 1e-9, "{score}");
        check(&[10.0; 6], 10.0, true);
        check(&[10.0; 6], 10.1, false);
    }

    #[test]
    fn a_short_history_judges_nothing() {
        check(&[1.0; 4], 1e9, true);
        let silent = Anomaly { of: "rows".into(), deviations: 3.5, history: vec![1.0; 5] };
        assert!(!silent.told(None).passed);
    }
}
