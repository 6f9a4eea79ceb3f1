//! PriceSheet: what a unit of each resource costs, for a span of time.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bedplate_types::{Money, Timestamp};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::validate::{FieldError, Validate};
use crate::{Condition, Phase};

/// It counts for the whole platform and is declared in the namespace `bedplate-system`. For every moment one counts at most: a
/// sheet that overlaps another is refused with the other's name.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "PriceSheet",
    namespaced,
    status = "PriceSheetStatus",
    selectable = ".spec.currency",
    selectable = ".status.phase",
    shortname = "prices",
    printcolumn = r#"{"name":"Phase","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Currency","type":"string","jsonPath":".spec.currency"}"#,
    printcolumn = r#"{"name":"From","type":"string","jsonPath":".spec.validFrom"}"#,
    printcolumn = r#"{"name":"To","type":"string","jsonPath":".spec.validTo"}"#,
    printcolumn = r#"{"name":"Unpriced","type":"integer","jsonPath":".status.unpriced","priority":1}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct PriceSheetSpec {
    /// Who answers for the prices.
    #[serde(default)]
    pub owner: String,
    #[serde(default)]
    pub description: String,
    /// Three capital letters (ISO 4217): EUR. Amounts of different currencies are never added up.
    pub currency: String,
    /// The price of one unit of each resource, as a decimal in quotes with at most six places: `cpu_seconds: "0.000014"`.
    pub prices: BTreeMap<String, Price>,
    /// Usage from then on (inclusive) is priced by this sheet, a whole second; since ever when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Usage before then (exclusive) is priced by this sheet, a whole second; for ever when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
}

/// A price, exact to the millionth: a decimal as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(pub Money);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PriceSheetStatus {
    pub phase: Phase,
    /// Usage events that no sheet has a price for, whatever their time.
    pub unpriced: u64,
    pub conditions: Vec<Condition>,
    pub observed_generation: i64,
}

/// The text is not a price.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a price: write a decimal of 0 or more with at most six places, in quotes: \"0.000014\"")]
pub struct InvalidPrice(pub String);

impl FromStr for Price {
    type Err = InvalidPrice;

    fn from_str(text: &str) -> Result<Self, InvalidPrice> {
        micros(text).map(|micros| Self(Money(micros))).ok_or_else(|| InvalidPrice(text.to_owned()))
    }
}

fn micros(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 6 {
        return None;
    }
    let part: i64 = format!("{part:0<6}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(part)
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = self.0.to_string();
        let short = exact.trim_end_matches('0');
        f.write_str(short.strip_suffix('.').unwrap_or(short))
    }
}

impl Serialize for Price {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Price {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Price".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,6})?$" })
    }
}

impl Validate for PriceSheetSpec {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.currency.len() != 3 || !self.currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            errors.push(FieldError::new("spec.currency", "must be three capital letters, for example EUR"));
        }
        if self.prices.is_empty() {
            errors.push(FieldError::new("spec.prices", "must have at least one price"));
        }
        let named =
            |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        for name in self.prices.keys().filter(|name| name.is_empty() || name.len() > 63 || !named(name)) {
            let why = "must be a resource's name: small letters, digits and _, for example cpu_seconds";
            errors.push(FieldError::new(format!("spec.prices.{name}"), why));
        }
        for (field, at) in [("spec.validFrom", self.valid_from), ("spec.validTo", self.valid_to)] {
            if at.is_some_and(|at| at.micros().rem_euclid(1_000_000) != 0) {
                errors.push(FieldError::new(field, "must be a whole second"));
            }
        }
        if self.valid_from.zip(self.valid_to).is_some_and(|(from, to)| from >= to) {
            errors.push(FieldError::new("spec.validTo", "must be later than spec.validFrom"));
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_exact_and_reads_as_it_is_written() {
        for (text, micros, again) in [
            ("0.000014", 14, "0.000014"),
            ("12", 12_000_000, "12"),
            ("0.5", 500_000, "0.5"),
            ("10.000000", 10_000_000, "10"),
            ("9223372036854.775807", i64::MAX, "9223372036854.775807"),
        ] {
            let price: Price = text.parse().unwrap();
            assert_eq!((price.0, price.to_string().as_str()), (Money(micros), again));
        }
        for bad in ["", "-1", "+1", ".5", "1.", "1e3", "0.0000001", "1,5", " 1", "9223372036854.775808", "٣"] {
            assert_eq!(bad.parse::<Price>(), Err(InvalidPrice(bad.into())));
        }
    }

    #[test]
    fn every_broken_rule_is_told_with_its_field() {
        let spec: PriceSheetSpec = serde_json::from_value(serde_json::json!({
            "currency": "euro", "prices": { "CPU seconds": "1" },
            "validFrom": "2026-01-01T00:00:00Z", "validTo": "2026-01-01T00:00:00Z",
        }))
        .unwrap();
        let fields: Vec<_> = spec.validate().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["spec.currency", "spec.prices.CPU seconds", "spec.validTo"]);
        let odd = PriceSheetSpec { valid_from: Some(Timestamp::from_micros(1_500_000)), ..spec.clone() };
        assert!(odd.validate().iter().any(|error| error.field == "spec.validFrom" && error.message.contains("whole")));
        let empty = PriceSheetSpec { prices: BTreeMap::new(), currency: "EUR".into(), ..spec };
        assert!(empty.validate().iter().any(|error| error.field == "spec.prices"));
    }
}
