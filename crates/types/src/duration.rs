//! Spans of time as people write them in manifests: `90s`, `30m`, `3h`, `7d`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A non-negative span of time in whole microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(i64);

/// The text is not a number with one of the units `us`, `ms`, `s`, `m`, `h`, `d`, `w`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a span of time; write a whole number and a unit, for example 90s, 30m, 3h or 7d")]
pub struct InvalidSpan(pub String);

const UNITS: [(&str, i64); 7] = [
    ("w", 7 * 86_400_000_000),
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
];

impl Span {
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }
}

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, InvalidSpan> {
        let invalid = || InvalidSpan(text.to_owned());
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(invalid)?;
        let (number, unit) = text.split_at(digits);
        let number: i64 = number.parse().map_err(|_| invalid())?;
        let (_, micros) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(invalid)?;
        number.checked_mul(*micros).map(Span).ok_or_else(invalid)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, micros) =
            UNITS.iter().find(|(_, micros)| self.0 != 0 && self.0 % micros == 0).unwrap_or(&("s", 1_000_000));
        write!(f, "{}{unit}", self.0 / micros)
    }
}

impl TryFrom<String> for Span {
    type Error = InvalidSpan;

    fn try_from(text: String) -> Result<Self, InvalidSpan> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

impl schemars::JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]+(w|d|h|m|s|ms|us)$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_the_largest_whole_unit() {
        for (text, micros) in [("3h", 10_800_000_000), ("90s", 90_000_000), ("2w", 1_209_600_000_000), ("0s", 0)] {
            assert_eq!(text.parse(), Ok(Span(micros)));
            assert_eq!(Span(micros).to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_not_a_span() {
        for bad in ["", "3", "h", "-3h", "3 h", "99999999999999d", "1y"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }
}
