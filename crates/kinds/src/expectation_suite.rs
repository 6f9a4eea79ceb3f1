//! ExpectationSuite: what must be true of a dataset's rows, and what happens to those that are not.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Phase;
use crate::check::Check;
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
    /// The share of rows that must pass, for checks on rows; 1 when left out. It decides whether the expectation is met:
    /// failing rows go to quarantine all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mostly: Option<f64>,
    /// Which rows it is about, where a load adds rows to those that are there.
    #[serde(default)]
    pub over: Over,
    pub check: Check,
}

/// Which rows an expectation is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Over {
    /// All rows that the load reads.
    #[default]
    Load,
    /// The rows that the table has with those of the load that go into it: `unique` finds a row that an earlier load brought, a
    /// `mean` is that of all rows. Not for a source of `load: merge`.
    Table,
}

/// What happens when an expectation is not met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Failing rows go to the quarantine table with the reason; the rest goes on. A check on the whole table is reported.
    #[default]
    Quarantine,
    /// It is reported and nothing else.
    Warn,
    /// The whole ingest is refused and the last good version stays; what reads the dataset stops until it is well again.
    Block,
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

impl Validate for ExpectationSuiteSpec {
    fn validate(&self) -> Vec<FieldError> {
        let names = self.expectations.iter().map(|expectation| expectation.name.as_str());
        let mut errors = duplicates("spec.expectations", names);
        for (i, expectation) in self.expectations.iter().enumerate() {
            let field = format!("spec.expectations[{i}]");
            errors.extend(expectation.check_one(&field));
            errors.extend(self.check_watched(expectation, &field));
        }
        errors
    }
}

impl ExpectationSuiteSpec {
    /// What an anomaly check watches is another expectation of the suite, and no anomaly check itself.
    fn check_watched(&self, expectation: &Expectation, field: &str) -> Option<FieldError> {
        let of = &expectation.check.anomaly.as_ref()?.of;
        let watched = self.expectations.iter().find(|other| other.name == *of);
        let why = match watched {
            None => format!("{of:?} is not an expectation of this suite"),
            Some(other) if other.check.anomaly.is_some() => format!("{of:?} is an anomaly check itself"),
            Some(_) => return None,
        };
        Some(FieldError::new(format!("{field}.check.anomaly.of"), why))
    }
}

impl Expectation {
    fn check_one(&self, field: &str) -> Vec<FieldError> {
        let mut errors = Vec::new();
        errors.extend(self.check.problems().into_iter().map(|why| FieldError::new(format!("{field}.check"), why)));
        if self.mostly.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            errors.push(FieldError::new(format!("{field}.mostly"), "must lie between 0 and 1"));
        }
        if self.over == Over::Table && self.check.anomaly.is_some() {
            let why = "an anomaly check has no rows of its own; say over: table in the expectation that it watches";
            errors.push(FieldError::new(format!("{field}.over"), why));
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(anomaly: &str) -> Vec<String> {
        let suite = format!(
            r#"{{"expectations": [
                {{"name": "rows", "over": "table", "check": {{"rowCount": {{"min": 1}}}}}},
                {{"name": "as usual", "check": {{"anomaly": {{"of": "rows"}}}} {anomaly}}}
            ]}}"#
        );
        let suite: ExpectationSuiteSpec = serde_json::from_str(&suite).unwrap();
        suite.validate().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn an_anomaly_check_has_no_rows_of_its_own() {
        assert_eq!(refused(""), Vec::<String>::new());
        assert_eq!(refused(r#", "over": "table""#), ["spec.expectations[1].over"]);
    }
}
