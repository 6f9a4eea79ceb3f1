//! The checks an expectation can make: on each row, on the whole table, or on what earlier ingests observed.

use bedplate_types::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<Mean>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantile: Option<Quantile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<Distinct>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshness: Option<Freshness>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub increasing: Option<Increasing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satisfies: Option<Satisfies>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anomaly: Option<Anomaly>,
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

/// A string or whole number out of a set; null passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OneOf {
    /// The column looked at.
    pub column: String,
    /// The values that pass; whole numbers are written as strings too.
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

/// No two rows with the same values in these columns; the second and later ones fail. Null equals null.
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

/// Each value, a string or whole number, is found in a column of another dataset of the namespace; null passes.
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
    pub every: Span,
    /// The columns that make a group; none means one series.
    #[serde(default)]
    pub by: Vec<String>,
}

/// The mean of a number column, both bounds inclusive; nulls are left out, and a column without a value fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mean {
    /// The column looked at.
    pub column: String,
    /// The smallest mean that passes; open when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The largest mean that passes; open when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// A quantile of a number column, estimated by a t-digest in bounded memory; both bounds inclusive. Nulls are left out,
/// and a column without a value fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantile {
    /// The column looked at.
    pub column: String,
    /// Between 0 and 1: 0.5 is the median.
    pub quantile: f64,
    /// The smallest value that passes; open when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The largest value that passes; open when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// The number of different values of a column; both bounds inclusive, nulls are left out. Exact up to 4,096, and beyond
/// estimated by HyperLogLog in 16 KiB (standard error 0.8%).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Distinct {
    /// The column looked at.
    pub column: String,
    /// The fewest values that pass; open when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
    /// The most values that pass; open when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

/// The newest time of a column is not older than this when the rows are ingested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Freshness {
    /// The column with the time.
    pub column: String,
    /// How old it may be.
    pub max_age: Span,
}

/// A column's values are spread as those of a reference are. Numbers are compared in bins cut by the reference's own
/// quantiles, strings by how often each comes. Nulls are left out of both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// The column looked at: a number or a string.
    pub column: String,
    /// The dataset of the namespace that is the reference. Left out, it is the last good version of this dataset itself,
    /// and the first ingest passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// The reference's column; named the same when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The largest population stability index that passes; 0.2 is usual for a shift that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psi: Option<f64>,
    /// The largest Kolmogorov-Smirnov distance that passes, between 0 and 1; for numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ks: Option<f64>,
}

/// No value is smaller than the one in the row before; nulls are passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Increasing {
    /// The column looked at: a number or a timestamp.
    pub column: String,
    /// No value may equal the one before either.
    #[serde(default)]
    pub strictly: bool,
}

/// A condition in SQL over the columns of one row; null passes, as in a CHECK constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Satisfies {
    /// What must hold: arr_time > dep_time OR cancelled. No subqueries, no aggregates, nothing that differs from one
    /// call to the next.
    pub sql: String,
}

/// What another expectation observed is not far from what the last ingests observed: a robust z-score, the distance from
/// their median in units of 1.4826 times their median absolute deviation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Anomaly {
    /// The expectation whose observed value is watched: the rows of a rowCount, the mean of a mean, the failing share of
    /// a check on rows.
    pub of: String,
    /// How many of the last ingests are looked at.
    #[serde(default = "last")]
    pub last: u32,
    /// The largest score that passes.
    #[serde(default = "deviations")]
    pub deviations: f64,
}

fn last() -> u32 {
    20
}

fn deviations() -> f64 {
    3.5
}

/// The most ingests whose results are kept, and an anomaly check can look back on.
pub const KEPT_INGESTS: u32 = 100;

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
            self.mean.is_some(),
            self.quantile.is_some(),
            self.distinct.is_some(),
            self.freshness.is_some(),
            self.drift.is_some(),
            self.increasing.is_some(),
            self.satisfies.is_some(),
            self.anomaly.is_some(),
        ]
        .into_iter()
        .filter(|set| *set)
        .count()
    }

    /// What is wrong with it, whatever the dataset is.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut must = |holds: bool, why: &str| {
            if !holds {
                problems.push(why.to_owned());
            }
        };
        let set = self.set_fields();
        must(set == 1, &format!("exactly one check must be set, {set} are"));
        if let Some(check) = &self.quantile {
            must((0.0..=1.0).contains(&check.quantile), "quantile.quantile must lie between 0 and 1");
        }
        if let Some(check) = &self.freshness {
            must(check.max_age.micros() > 0, "freshness.maxAge must be longer than 0");
        }
        if let Some(check) = &self.drift {
            must(check.psi.is_some() || check.ks.is_some(), "drift needs psi, ks or both");
            let sound = |limit: Option<f64>| limit.is_none_or(|limit| limit >= 0.0);
            must(sound(check.psi) && sound(check.ks), "drift.psi and drift.ks may not be negative");
        }
        if let Some(check) = &self.anomaly {
            must(check.deviations > 0.0, "anomaly.deviations must be greater than 0");
            let may = (MIN_HISTORY..=KEPT_INGESTS).contains(&check.last);
            must(may, &format!("anomaly.last must lie between {MIN_HISTORY} and {KEPT_INGESTS}"));
        }
        problems
    }
}

/// An anomaly check says nothing before so many ingests.
pub const MIN_HISTORY: u32 = 5;
