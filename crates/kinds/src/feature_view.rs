//! FeatureView: features of an entity, each a value that became known at a time.

use bedplate_types::{Span, Timestamp};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::glossary_term::check_terms;
use crate::validate::{FieldError, Validate, duplicates, not_empty};
use crate::{Condition, FeatureTerm, Phase};

/// Features of an entity, each a value that became known at a time.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "FeatureView",
    namespaced,
    status = "FeatureViewStatus",
    selectable = ".spec.entity",
    selectable = ".status.phase",
    shortname = "fv",
    printcolumn = r#"{"name":"Phase","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Entity","type":"string","jsonPath":".spec.entity"}"#,
    printcolumn = r#"{"name":"Rows","type":"integer","jsonPath":".status.onlineRows"}"#,
    printcolumn = r#"{"name":"TTL","type":"string","jsonPath":".spec.ttl","priority":1}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct FeatureViewSpec {
    /// The team that answers for it.
    #[serde(default)]
    pub owner: String,
    /// What the features tell, for people.
    #[serde(default)]
    pub description: String,
    /// The Entity whose join keys the source has as columns.
    pub entity: String,
    /// The query whose rows the features are made of.
    pub source: FeatureViewSource,
    /// The source's column that says when a row became *known*; without it the rows were always known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_column: Option<String>,
    /// How long a value may be used after it became known, online and offline alike; without it, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Span>,
    /// What it offers.
    pub features: Vec<Feature>,
    /// Rows known up to then are brought into the online store from the source; later ones are pushed. Without it, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub materialize_until: Option<Timestamp>,
    /// The name clients push new rows under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push_source: Option<String>,
    /// The terms of the glossary that it and its features are about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<FeatureTerm>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureViewSource {
    /// The datasets the query reads; it sees no others.
    pub datasets: Vec<String>,
    /// A query over those datasets, each a table of its name.
    pub sql: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Feature {
    /// The feature.
    pub name: String,
    /// The source's column; the feature's name when left out. Numbers and booleans only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    #[serde(default)]
    pub aggregate: Aggregate,
    /// Rows known within this span before the moment asked for; every aggregate but `last` needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Span>,
    /// Unit and meaning, for people.
    #[serde(default)]
    pub description: String,
}

/// How rows within the window make one value. Nulls are left out; no rows make null, except for `count`, which makes 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Aggregate {
    /// The value of the latest row, null included.
    #[default]
    Last,
    Mean,
    Sum,
    Count,
    Min,
    Max,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FeatureViewStatus {
    pub phase: Phase,
    /// Digest of the definition: a changed definition is another version.
    pub version: String,
    /// Rows brought into the online store from the source.
    pub online_rows: u64,
    /// Digest of definition and dataset versions that were materialised.
    pub materialized: String,
    /// Where it stands, aspect by aspect.
    pub conditions: Vec<Condition>,
    /// The generation of the spec this status tells of.
    pub observed_generation: i64,
}

impl Feature {
    #[must_use]
    pub fn source_column(&self) -> &str {
        self.column.as_deref().unwrap_or(&self.name)
    }
}

impl Validate for FeatureViewSpec {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = duplicates("spec.features", self.features.iter().map(|feature| feature.name.as_str()));
        errors.extend(not_empty("spec.entity", &self.entity));
        errors.extend(not_empty("spec.source.sql", &self.source.sql));
        if self.features.is_empty() {
            errors.push(FieldError::new("spec.features", "must name at least one feature"));
        }
        for (i, feature) in self.features.iter().enumerate() {
            errors.extend(self.check_window(i, feature));
        }
        let terms = self.terms.iter().map(|term| (term.term.as_str(), term.feature.as_deref()));
        let features: Vec<&str> = self.features.iter().map(|feature| feature.name.as_str()).collect();
        errors.extend(check_terms(terms, "feature", &features));
        errors
    }
}

impl FeatureViewSpec {
    fn check_window(&self, i: usize, feature: &Feature) -> Option<FieldError> {
        let field = format!("spec.features[{i}].window");
        match (feature.aggregate, feature.window) {
            (Aggregate::Last, Some(_)) => Some(FieldError::new(field, "`last` takes no window; use spec.ttl")),
            (Aggregate::Last, None) => None,
            (_, None) => Some(FieldError::new(field, "is needed by every aggregate but `last`")),
            (_, Some(window)) if window.micros() == 0 => Some(FieldError::new(field, "must be longer than 0")),
            (_, Some(_)) if self.timestamp_column.is_none() => {
                Some(FieldError::new(field, "needs spec.timestampColumn: without it there is no window"))
            }
            (_, Some(_)) => None,
        }
    }
}
