//! What is known of a thing, besides its name, that rules may look at.

use std::collections::{BTreeMap, BTreeSet};

use bedplate_kinds::DataTags;
use serde::{Deserialize, Serialize};

/// The governed tags of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Tags {
    /// `public`, `internal`, `confidential`, `restricted`, `phi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification: Option<String>,
    /// Sites and regions it may be in; none said: anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residency: Option<BTreeSet<String>>,
    /// What it may be used for; none said: anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purposes: Option<BTreeSet<String>>,
    /// The platform took out what tells of a person.
    pub deidentified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl Tags {
    /// Nothing is known.
    pub const NONE: Self = Self {
        classification: None,
        residency: None,
        purposes: None,
        deidentified: false,
        owner: None,
        labels: BTreeMap::new(),
    };

    /// [`Tags::NONE`], to be asked with.
    #[must_use]
    pub const fn none() -> &'static Self {
        static NONE: Tags = Tags::NONE;
        &NONE
    }
}

impl From<&DataTags> for Tags {
    fn from(data: &DataTags) -> Self {
        Self {
            classification: Some(data.classification.as_str().to_owned()),
            residency: data.residency.clone(),
            purposes: data.purposes.clone(),
            deidentified: data.deidentified,
            ..Self::NONE
        }
    }
}
