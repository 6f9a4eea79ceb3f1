//! What a dataset's declaration says of how its rows may be used, and what follows for everything made of them.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::validate::FieldError;
use crate::{Classification, DatasetSpec};

/// Tags that only the platform sets: nobody declares data to be free of persons.
pub const PLATFORM_TAGS: [&str; 1] = ["deidentified"];

/// How data may be used. It goes with the data, into whatever is made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataTags {
    pub classification: Classification,
    /// Sites and regions it may be in; absent: anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub residency: Option<BTreeSet<String>>,
    /// What it may be used for; absent: anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub purposes: Option<BTreeSet<String>>,
    #[serde(default)]
    pub deidentified: bool,
}

impl DataTags {
    /// Of a declared dataset. `tags.residency` and `tags.purpose` are words with commas between them.
    #[must_use]
    pub fn of(spec: &DatasetSpec, deidentified: bool) -> Self {
        Self {
            classification: spec.classification,
            residency: words(&spec.tags, "residency"),
            purposes: words(&spec.tags, "purpose"),
            deidentified,
        }
    }

    /// Of what is made of both: as secret as the more secret one, and allowed only what both allow.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let harmless = |one: &Self| one.deidentified || one.classification != Classification::Phi;
        Self {
            classification: self.classification.max(other.classification),
            residency: both(self.residency.as_ref(), other.residency.as_ref()),
            purposes: both(self.purposes.as_ref(), other.purposes.as_ref()),
            deidentified: harmless(self) && harmless(other) && (self.deidentified || other.deidentified),
        }
    }
}

fn words(tags: &BTreeMap<String, String>, key: &str) -> Option<BTreeSet<String>> {
    let text = tags.get(key)?;
    Some(text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect())
}

fn both(a: Option<&BTreeSet<String>>, b: Option<&BTreeSet<String>>) -> Option<BTreeSet<String>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.intersection(b).cloned().collect()),
        (one, other) => one.or(other).cloned(),
    }
}

/// Declared tags that are the platform's, and declared limits that say nothing.
pub(crate) fn check(tags: &BTreeMap<String, String>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for key in tags.keys().filter(|key| PLATFORM_TAGS.iter().any(|known| key.eq_ignore_ascii_case(known))) {
        errors.push(FieldError::new(
            format!("spec.tags.{key}"),
            "is set by the platform only, from what it did to the data",
        ));
    }
    for key in ["residency", "purpose"] {
        if words(tags, key).is_some_and(|words| words.is_empty()) {
            let why = "names nothing: leave the tag out to allow everything";
            errors.push(FieldError::new(format!("spec.tags.{key}"), why));
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(classification: Classification, residency: &str, purposes: &str, deidentified: bool) -> DataTags {
        let some = |text: &str| (!text.is_empty()).then(|| text.split(' ').map(str::to_owned).collect());
        DataTags { classification, residency: some(residency), purposes: some(purposes), deidentified }
    }

    #[test]
    fn what_is_made_of_two_is_as_bound_as_both() {
        use Classification::{Internal, Phi, Public};
        let care = tags(Phi, "eu", "care research", true);
        let open = tags(Public, "", "", false);
        assert_eq!(care.and(&open), care);
        assert_eq!(open.and(&care), care);
        let sales = tags(Internal, "us", "sales", false);
        let made = care.and(&sales);
        assert_eq!((made.classification, made.deidentified), (Phi, true));
        assert_eq!((made.residency, made.purposes), (Some(BTreeSet::new()), Some(BTreeSet::new())), "nothing is left");
        assert!(!care.and(&tags(Phi, "", "", false)).deidentified, "one that is not is enough");
    }

    #[test]
    fn tags_of_the_platform_are_not_declared() {
        let said = |key: &str, value: &str| check(&BTreeMap::from([(key.to_owned(), value.to_owned())]));
        assert_eq!(said("Deidentified", "true")[0].field, "spec.tags.Deidentified");
        assert_eq!(said("purpose", " , ")[0].field, "spec.tags.purpose");
        assert!(said("purpose", "care, research").is_empty() && said("licence", "").is_empty());
    }
}
