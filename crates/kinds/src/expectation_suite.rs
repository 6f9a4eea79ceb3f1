//! ExpectationSuite: what must be true of a dataset's rows, and what happens to those that are not.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Phase;
use crate::validate::{FieldError, Validate, duplicates};

/// What must be true of a dataset's rows, and what happens to those that are not.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "ExpectationSuite",
    namespaced,
    status = "ExpectationSuiteStatus",
    selectable = ".status.phase",
    shortname = "suite",
    printcolumn = r#"{"name":"Phase","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Expectations","type":"integer","jsonPath":".status.expectations"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct ExpectationSuiteSpec {
    /// All of them are judged in one pass over the rows.
    pub expectations: Vec<Expectation>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Expectation {
    /// What reports and quarantined rows call it.
    pub name: String,
    #[serde(default)]
    pub severity: Severity,
    /// The share of rows that must pass, for checks on rows; 1 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mostly: Option<f64>,
    pub check: Check,
}

/// What happens when an expectation is not met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Failing rows go to the quarantine table with the reason; the rest goes on.
    #[default]
    Quarantine,
    /// It is reported and nothing else.
    Warn,
    /// The whole ingest is refused and the last good version stays.
    Block,
}

/// Exactly one check; exactly one field is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// No null in the column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_null: Option<OnColumn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<Between>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_of: Option<OneOf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<Matches>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<Unique>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_count: Option<RowCount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<References>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_series: Option<CompleteSeries>,
}

/// No null in the column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OnColumn {
    /// The column looked at.
    pub column: String,
}

/// A number within bounds, both inclusive; null passes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Between {
    /// The column looked at.
    pub column: String,
    /// The smallest value that passes; open when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The largest value that passes; open when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// A string out of a set; null passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OneOf {
    /// The column looked at.
    pub column: String,
    /// The values that pass.
    pub values: Vec<String>,
}

/// A string that matches the regular expression somewhere; null passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Matches {
    /// The column looked at.
    pub column: String,
    /// It need not match the whole value: anchor it with ^ and $ where it must.
    pub regex: String,
}

/// No two rows with the same values in these columns; the second and later ones fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unique {
    /// Together they may not repeat.
    pub columns: Vec<String>,
}

/// The number of rows, both bounds inclusive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowCount {
    /// The fewest rows that pass; open when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
    /// The most rows that pass; open when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

/// Each value is found in a column of another dataset of the namespace; null passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct References {
    /// The column looked at.
    pub column: String,
    /// The other dataset.
    pub dataset: String,
    /// The other dataset's column.
    pub field: String,
}

/// A row for each step between the first and the last time, in every group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CompleteSeries {
    /// The column with the time.
    pub column: String,
    /// The step from one row to the next.
    pub every: bedplate_types::Span,
    /// The columns that make a group; none means one series.
    #[serde(default)]
    pub by: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ExpectationSuiteStatus {
    pub phase: Phase,
    /// How many there are.
    pub expectations: u64,
    /// The generation of the spec this status tells of.
    pub observed_generation: i64,
}

impl Check {
    /// How many of the fields are set: one in a sound check.
    #[must_use]
    pub fn set_fields(&self) -> usize {
        [
            self.not_null.is_some(),
            self.between.is_some(),
            self.one_of.is_some(),
            self.matches.is_some(),
            self.unique.is_some(),
            self.row_count.is_some(),
            self.references.is_some(),
            self.complete_series.is_some(),
        ]
        .into_iter()
        .filter(|set| *set)
        .count()
    }
}

impl Validate for ExpectationSuiteSpec {
    fn validate(&self) -> Vec<FieldError> {
        let names = self.expectations.iter().map(|expectation| expectation.name.as_str());
        let mut errors = duplicates("spec.expectations", names);
        for (i, expectation) in self.expectations.iter().enumerate() {
            errors.extend(expectation.check_one(&format!("spec.expectations[{i}]")));
        }
        errors
    }
}

impl Expectation {
    fn check_one(&self, field: &str) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.check.set_fields() != 1 {
            let message = format!("exactly one check must be set, {} are", self.check.set_fields());
            errors.push(FieldError::new(format!("{field}.check"), message));
        }
        if self.mostly.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            errors.push(FieldError::new(format!("{field}.mostly"), "must lie between 0 and 1"));
        }
        errors
    }
}
