//! What a check came to, before it is told under its name.

/// Counts, the observed value, and a sentence.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    pub passed: bool,
    pub failing: u64,
    pub observed: u64,
    pub value: Option<f64>,
    pub detail: String,
}

/// Inclusive bounds of an observed number.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub min: Option<f64>,
    pub max: Option<f64>,
}

impl Limits {
    /// NaN lies in none.
    pub fn have(self, value: f64) -> bool {
        !value.is_nan() && self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }

    /// `, expected at least 3 and at most 5`; nothing when both ends are open.
    pub fn expected(self) -> String {
        let bound = |word: &str, bound: Option<f64>| bound.map(|bound| format!("{word} {}", number(bound)));
        let bounds = [bound("at least", self.min), bound("at most", self.max)];
        let bounds: Vec<String> = bounds.into_iter().flatten().collect();
        if bounds.is_empty() { String::new() } else { format!(", expected {}", bounds.join(" and ")) }
    }
}

impl Told {
    /// A check on the whole that observed one number of `observed` values.
    pub fn whole(passed: bool, observed: u64, value: f64, detail: String) -> Self {
        // Infinity and NaN are no JSON.
        let value = value.is_finite().then_some(value);
        Self { passed, failing: u64::from(!passed), observed, value, detail }
    }

    /// There was no value to look at.
    pub fn nothing(passed: bool, detail: impl Into<String>) -> Self {
        Self { passed, failing: u64::from(!passed), observed: 0, value: None, detail: detail.into() }
    }
}

/// At most six digits after the point, and no zeros at the end.
pub(super) fn number(value: f64) -> String {
    if value.fract() == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let text = if value.abs() < 1e-3 { format!("{value:e}") } else { format!("{value:.6}") };
    if text.contains('e') { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_inclusive_and_have_no_nan() {
        let limits = Limits { min: Some(1.0), max: Some(2.5) };
        assert_eq!([1.0, 2.5, 0.9, 2.6, f64::NAN].map(|value| limits.have(value)), [true, true, false, false, false]);
        assert_eq!(limits.expected(), ", expected at least 1 and at most 2.5");
        assert!(Limits::default().have(-1e300) && Limits::default().expected().is_empty());
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([3.0, 0.1 + 0.2, 12.5, 0.000_012, f64::NAN].map(number), ["3", "0.3", "12.5", "1.2e-5", "NaN"]);
    }
}
