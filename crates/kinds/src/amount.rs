//! An amount of money as people write it in a manifest.

use std::fmt;
use std::str::FromStr;

use bedplate_types::Money;
use serde::{Deserialize, Serialize};

/// Not negative, in units of the price sheet's currency, to the millionth: "250", "0.5", "1200.50".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount(pub Money);

/// The text is not an amount of money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an amount of money; write it as \"250\" or \"1200.50\"")]
pub struct InvalidAmount(pub String);

impl FromStr for Amount {
    type Err = InvalidAmount;

    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        let invalid = || InvalidAmount(text.to_owned());
        let (whole, parts) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(parts) || parts.len() > 6 {
            return Err(invalid());
        }
        let whole: i64 = whole.parse().map_err(|_| invalid())?;
        let parts: i64 = format!("{parts:0<6}").parse().map_err(|_| invalid())?;
        let micros = whole.checked_mul(1_000_000).and_then(|micros| micros.checked_add(parts));
        micros.map(|micros| Self(Money(micros))).ok_or_else(invalid)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let cents = text.trim_end_matches('0');
        let shown = text.len().min((text.find('.').unwrap_or(0) + 3).max(cents.len()));
        f.write_str(&text[..shown])
    }
}

impl TryFrom<String> for Amount {
    type Error = InvalidAmount;

    fn try_from(text: String) -> Result<Self, InvalidAmount> {
        text.parse()
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.to_string()
    }
}

impl schemars::JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]{1,6})?$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_to_the_millionth_and_shown_to_the_cent_at_least() {
        for (text, micros, shown) in
            [("250", 250_000_000, "250.00"), ("0.5", 500_000, "0.50"), ("1.000001", 1_000_001, "1.000001")]
        {
            let amount: Amount = text.parse().unwrap();
            assert_eq!((amount.0, amount.to_string().as_str()), (Money(micros), shown));
        }
        for bad in ["", "-1", "1.", ".5", "1.0000001", "1e3", "99999999999999999999"] {
            assert!(bad.parse::<Amount>().is_err(), "{bad}");
        }
    }
}
