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
    printcolumn = r#"{"name":"Parity","type":"string","jsonPath":".status.parity.result"}"#,
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
    /// The source's column that says when a row was written. Of rows with one entity and time the one created last counts,
    /// and rows created at no moment come before all others; a training set made `asKnownAt` a moment sees no row created
    /// after it. Without it, of such rows the one with the greatest values counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_column: Option<String>,
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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Which quantile, between 0 and 1: 0.5 is the median. For the aggregate `quantile` alone, which needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantile: Option<f64>,
    /// Unit and meaning, for people.
    #[serde(default)]
    pub description: String,
}

/// How rows within the window make one value. Nulls are left out; no rows make null, except for `count` and `distinct`, which make 0.
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
    /// The standard deviation of a sample; null for fewer than two values.
    Std,
    /// How many different values there are: exact up to 512, beyond with a standard error of 1.6 %.
    Distinct,
    /// The value below which the part `quantile` of the values lies, within 1 %.
    Quantile,
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
    /// Rows that somebody asked to be in the online store, beyond those that are brought without asking.
    pub rows_asked: Option<RowsAsked>,
    /// How far what was asked for is.
    pub rows_brought: Option<RowsBrought>,
    /// Whether the online store said what the source did when they were last compared.
    pub parity: Option<ViewParity>,
    /// How new the rows were then.
    pub freshness: Option<ViewFreshness>,
    /// Where it stands, aspect by aspect.
    pub conditions: Vec<Condition>,
    /// The generation of the spec this status tells of.
    pub observed_generation: i64,
}

/// What comparing a sample of online values with the source came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewParity {
    pub result: ParityResult,
    /// When they were compared.
    pub at: Timestamp,
    /// The version of the view.
    pub version: String,
    /// What was materialised then.
    pub materialized: String,
    /// Which entities and moments were looked at; `bedplate features verify --seed` looks at the same ones again.
    pub seed: u32,
    /// Entities that were looked at.
    pub entities: u64,
    /// Values that were compared: a feature of an entity at a moment each.
    pub values: u64,
    /// Values that were equal to the last bit.
    pub equal: u64,
    /// Values that differ from those of the source by rows that were pushed, or that are still to be: no fault.
    pub expected: u64,
    /// Values that differ.
    pub different: u64,
    /// Entities of the source that should have rows online and have none.
    pub missing_entities: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ParityResult {
    /// No value differs, but by rows that were pushed or are still to be.
    Equal,
    Different,
}

/// The newest rows of a view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewFreshness {
    /// When it was looked at.
    pub at: Timestamp,
    /// When the newest row online became known; none in a view without times.
    #[serde(default)]
    pub newest_online: Option<Timestamp>,
    /// When the newest row of the source became known.
    #[serde(default)]
    pub newest_source: Option<Timestamp>,
    /// Whether at that time every value online was older than the TTL.
    #[serde(default)]
    pub expired: bool,
}

impl ViewParity {
    /// In words: `3 of 1200 values of 400 entities differ`.
    #[must_use]
    pub fn told(&self) -> String {
        let Self { entities, values, expected, different, missing_entities, .. } = self;
        let mut told = match self.result {
            ParityResult::Equal => format!("online = offline for {} values of {entities} entities", values - expected),
            ParityResult::Different => format!("{different} of {values} values of {entities} entities differ"),
        };
        if *missing_entities > 0 {
            told += &format!("; {missing_entities} entities are not online");
        }
        if *expected > 0 {
            told += &format!("; {expected} values differ by rows that were pushed, or are still to be");
        }
        told
    }
}

/// A range of time whose rows are to be in the online store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RowsAsked {
    /// When it was asked for; each asking has its own moment.
    pub at: Timestamp,
    /// The first moment of it; without it, from the beginning.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// The last moment of it; without it, to the end.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Who asked.
    pub by: String,
}

/// Rows of a range of time on their way into the online store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RowsBrought {
    /// Which asking it is about.
    pub asked: Timestamp,
    /// Rows of the range that have been read from the source.
    pub rows: u64,
    /// Whether all of them are in the store.
    pub complete: bool,
}

impl FeatureViewStatus {
    /// What was asked for and is not there yet.
    #[must_use]
    pub fn rows_wanted(&self) -> Option<&RowsAsked> {
        let is_there =
            |asked: &RowsAsked| self.rows_brought.as_ref().is_some_and(|done| done.complete && done.asked >= asked.at);
        self.rows_asked.as_ref().filter(|asked| !is_there(asked))
    }
}

impl RowsAsked {
    /// Both ends count.
    #[must_use]
    pub fn holds(&self, moment: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= moment) && self.until.is_none_or(|until| moment <= until)
    }

    /// Both ranges and what is between them, asked for by the later one.
    #[must_use]
    pub fn and(&self, later: Self) -> Self {
        let from = self.from.zip(later.from).map(|(a, b)| a.min(b));
        let until = self.until.zip(later.until).map(|(a, b)| a.max(b));
        Self { from, until, ..later }
    }
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
        errors.extend(self.created_column.as_ref().and_then(|column| not_empty("spec.createdColumn", column)));
        if self.features.is_empty() {
            errors.push(FieldError::new("spec.features", "must name at least one feature"));
        }
        for (i, feature) in self.features.iter().enumerate() {
            errors.extend(self.check_window(i, feature));
            errors.extend(check_quantile(i, feature));
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

fn check_quantile(i: usize, feature: &Feature) -> Option<FieldError> {
    let field = format!("spec.features[{i}].quantile");
    match (feature.aggregate, feature.quantile) {
        (Aggregate::Quantile, None) => {
            Some(FieldError::new(field, "is needed by the aggregate `quantile`; 0.5 is the median"))
        }
        (Aggregate::Quantile, Some(q)) if q > 0.0 && q < 1.0 => None,
        (Aggregate::Quantile, Some(q)) => {
            Some(FieldError::new(field, format!("is {q}; it must be more than 0 and less than 1, like 0.95")))
        }
        (_, Some(_)) => Some(FieldError::new(field, "is for the aggregate `quantile` alone")),
        (_, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(at: i64, from: Option<i64>, until: Option<i64>) -> RowsAsked {
        let moment = |micros: Option<i64>| micros.map(Timestamp::from_micros);
        RowsAsked { at: Timestamp::from_micros(at), from: moment(from), until: moment(until), by: "user:ana".into() }
    }

    #[test]
    fn both_ends_of_a_range_count_and_two_ranges_are_one() {
        let range = asked(1, Some(10), Some(20));
        let held = [9, 10, 20, 21].map(|micros| range.holds(Timestamp::from_micros(micros)));
        assert_eq!(held, [false, true, true, false]);
        assert_eq!(range.and(asked(2, Some(5), Some(7))), asked(2, Some(5), Some(20)));
        assert_eq!(range.and(asked(2, None, Some(30))), asked(2, None, Some(30)));
        assert!(asked(1, None, None).holds(Timestamp::from_micros(i64::MIN / 2)));
    }

    #[test]
    fn a_quantile_says_which_and_nothing_else_does() {
        let check = |aggregate: &str, quantile: Option<f64>, why: Option<&str>| {
            let feature = serde_json::json!({
                "name": "f", "aggregate": aggregate, "window": "7d", "quantile": quantile,
            });
            let spec: FeatureViewSpec = serde_json::from_value(serde_json::json!({
                "entity": "e", "source": {"datasets": [], "sql": "select 1"}, "timestampColumn": "at",
                "features": [feature],
            }))
            .unwrap();
            let found = spec.validate().first().map(ToString::to_string);
            match why {
                None => assert_eq!(found, None),
                Some(why) => {
                    let found = found.unwrap_or_default();
                    assert!(found.contains("spec.features[0].quantile") && found.contains(why), "{found}");
                }
            }
        };
        check("quantile", Some(0.95), None);
        check("std", None, None);
        check("distinct", None, None);
        check("quantile", None, Some("is needed"));
        check("quantile", Some(0.0), Some("is 0;"));
        check("quantile", Some(1.0), Some("less than 1"));
        check("mean", Some(0.5), Some("alone"));
    }

    #[test]
    fn what_was_asked_for_is_wanted_until_all_of_it_is_there() {
        let brought = |asked: i64, complete| RowsBrought { asked: Timestamp::from_micros(asked), rows: 3, complete };
        let check = |brought: Option<RowsBrought>, wanted: bool| {
            let status = FeatureViewStatus {
                rows_asked: Some(asked(5, None, None)),
                rows_brought: brought,
                ..FeatureViewStatus::default()
            };
            assert_eq!(status.rows_wanted().is_some(), wanted, "{status:?}");
        };
        check(None, true);
        check(Some(brought(4, true)), true);
        check(Some(brought(5, false)), true);
        check(Some(brought(5, true)), false);
        assert_eq!(FeatureViewStatus::default().rows_wanted(), None);
    }
}
