//! From an expectation as it is declared to a rule with column positions, or a refusal that names both.

use std::sync::Arc;

use arrow::datatypes::DataType;
use bedplate_kinds::{
    Check, ColumnType, CompleteSeries, DatasetSource, DatasetSpec, Expectation, Load, Over, Severity,
};
use regex::Regex;
use xxhash_rust::xxh3::xxh3_128;

use super::anomaly::Anomaly;
use super::distinct::Distinct;
use super::drift::{Distances, Drift};
use super::freshness::Freshness;
use super::increasing::Increasing;
use super::mean::Mean;
use super::measure::Measure;
use super::quantile::Quantile;
use super::row_check::RowCheck;
use super::rule::{Rule, Test};
use super::series::Series;
use super::told::Limits;
use super::unique::Unique;
use super::words::Words;
use super::{Profile, QualityError, References};
use crate::schema::{arrow_type, type_name};

const NUMBERS: &[ColumnType] = &[ColumnType::Int32, ColumnType::Int64, ColumnType::Float64];
const STRINGS: &[ColumnType] = &[ColumnType::String];
const TIMES: &[ColumnType] = &[ColumnType::Timestamp];
const WORDS: &[ColumnType] = &[ColumnType::String, ColumnType::Int32, ColumnType::Int64];
const ORDERED: &[ColumnType] = &[ColumnType::Int32, ColumnType::Int64, ColumnType::Float64, ColumnType::Timestamp];
const SPREAD: &[ColumnType] = &[ColumnType::Int32, ColumnType::Int64, ColumnType::Float64, ColumnType::String];

/// Counts up when a check sees something else in the same rows: what was kept before is then made anew.
const MEANING: u32 = 1;

pub(super) fn rule(
    expectation: &Expectation,
    spec: &DatasetSpec,
    references: &References,
) -> Result<Rule, QualityError> {
    let scope = Scope { expectation: &expectation.name, spec };
    let mostly = expectation.mostly.unwrap_or(1.0);
    if !(0.0..=1.0).contains(&mostly) {
        return Err(scope.unsound(format!("mostly is {mostly} and must lie between 0 and 1")));
    }
    let test = scope.test(&expectation.check, references)?;
    let key = scope.key(&expectation.check, &test);
    let rule = new_rule(&expectation.name, expectation.severity, test);
    let rule = Rule { mostly, over: expectation.over, key, ..rule };
    match unfit(&rule, &spec.source) {
        Some(why) => Err(scope.unsound(why.into())),
        None => Ok(rule),
    }
}

/// Why a source's loads cannot be judged over the table.
fn unfit(rule: &Rule, source: &DatasetSource) -> Option<&'static str> {
    match source.load {
        _ if rule.over == Over::Load => None,
        Load::Merge => Some("over: table is not for a source of load: merge, whose rows take the place of others"),
        // It would be in the table of one load's quarantine and in no other: the next load does not judge it again.
        Load::Watermark if !source.reads_once() && rule.rejects() => {
            Some("over: table with severity: quarantine is not for files of load: watermark; use warn or block")
        }
        _ => None,
    }
}

/// The rules of the schema itself: no null where the column says `nullable: false`.
pub(super) fn implied_rules(spec: &DatasetSpec) -> impl Iterator<Item = Rule> {
    let columns = spec.schema.iter().enumerate().filter(|(_, column)| !column.nullable);
    columns.map(|(i, column)| {
        let name = format!("{} is not nullable", column.name);
        let test = Test::Row { column: i, check: Arc::new(RowCheck::NotNull) };
        Rule { implied: true, ..new_rule(&name, Severity::Quarantine, test) }
    })
}

fn new_rule(name: &str, severity: Severity, test: Test) -> Rule {
    let (mostly, implied, over, key) = (1.0, false, Over::Load, None);
    Rule { name: name.into(), severity, mostly, test, implied, over, key, rows: 0, failing: 0, first: None }
}

struct Scope<'a> {
    expectation: &'a str,
    spec: &'a DatasetSpec,
}

impl Scope<'_> {
    /// Stands for what the test says of any rows. What refers to another dataset's values says something else tomorrow;
    /// keys of rows are as large as the column they come from, and are read there.
    fn key(&self, check: &Check, test: &Test) -> Option<String> {
        if check.references.is_some() || matches!(test, Test::Unique(_) | Test::Series(_) | Test::Anomaly(_)) {
            return None;
        }
        let types: Vec<_> = test.columns(self.spec.schema.len()).map(|i| self.spec.schema[i].type_).collect();
        let reference = match test {
            Test::Measure { measure, .. } => measure.reference(),
            _ => None,
        };
        let all = serde_json::to_vec(&(MEANING, check, types, reference)).ok()?;
        Some(format!("{:032x}", xxh3_128(&all)))
    }

    fn test(&self, check: &Check, references: &References) -> Result<Test, QualityError> {
        if let Some(problem) = check.problems().into_iter().next() {
            return Err(self.unsound(problem));
        }
        if let Some(unique) = &check.unique {
            return self.unique(&unique.columns);
        }
        if let Some(bounds) = &check.row_count {
            let float = |rows: Option<u64>| rows.map(|rows| rows as f64);
            return Ok(Test::RowCount(Limits { min: float(bounds.min), max: float(bounds.max) }));
        }
        if let Some(series) = &check.complete_series {
            return self.series(series);
        }
        if let Some(increasing) = &check.increasing {
            let column = self.typed("increasing", &increasing.column, ORDERED, "a number or a timestamp")?;
            return Ok(Test::Increasing(Increasing::new(column, increasing.strictly)));
        }
        if let Some(wanted) = &check.satisfies {
            return self.condition(&wanted.sql, references);
        }
        if let Some(anomaly) = &check.anomaly {
            return Ok(self.anomaly(anomaly, references));
        }
        match self.measure(check, references)? {
            Some((column, measure)) => Ok(Test::Measure { column, measure }),
            None => self.row_test(check, references),
        }
    }

    fn measure(&self, check: &Check, references: &References) -> Result<Option<(usize, Measure)>, QualityError> {
        let number = |check, column: &str| self.typed(check, column, NUMBERS, "a number");
        Ok(Some(if let Some(mean) = &check.mean {
            let limits = Limits { min: mean.min, max: mean.max };
            (number("mean", &mean.column)?, Measure::Mean(Mean::new(limits)))
        } else if let Some(wanted) = &check.quantile {
            let limits = Limits { min: wanted.min, max: wanted.max };
            let quantile = Quantile::new(wanted.quantile, limits);
            (number("quantile", &wanted.column)?, Measure::Quantile(Box::new(quantile)))
        } else if let Some(distinct) = &check.distinct {
            let float = |count: Option<u64>| count.map(|count| count as f64);
            let limits = Limits { min: float(distinct.min), max: float(distinct.max) };
            (self.position(&distinct.column)?, Measure::Distinct(Distinct::new(limits)))
        } else if let Some(freshness) = &check.freshness {
            let column = self.typed("freshness", &freshness.column, TIMES, "a timestamp")?;
            (column, Measure::Freshness(Freshness::new(freshness.max_age, references.now)))
        } else if let Some(drift) = &check.drift {
            self.drift(drift, references)?
        } else {
            return Ok(None);
        }))
    }

    fn drift(&self, drift: &bedplate_kinds::Drift, references: &References) -> Result<(usize, Measure), QualityError> {
        let column = self.typed("drift", &drift.column, SPREAD, "a number or a string")?;
        let is_text = self.spec.schema[column].type_ == ColumnType::String;
        if is_text && drift.ks.is_some() {
            return Err(self.unsound("drift.ks is for numbers; use drift.psi".into()));
        }
        let profile = references.profiles.get(self.expectation).cloned();
        match profile.as_deref() {
            Some(profile) if matches!(profile, Profile::Words { .. }) != is_text => {
                let why = format!("column {} and the reference are not of one type", drift.column);
                return Err(self.unsound(why));
            }
            None if drift.dataset.is_some() => return Err(self.not_looked_up("a drift check's reference")),
            _ => {}
        }
        Ok((column, Measure::Drift(Drift::new(Distances { psi: drift.psi, ks: drift.ks }, profile))))
    }

    fn anomaly(&self, anomaly: &bedplate_kinds::Anomaly, references: &References) -> Test {
        let known = references.history.get(&anomaly.of).map(Vec::as_slice).unwrap_or_default();
        let last = known.len().saturating_sub(anomaly.last as usize);
        let history = known[last..].to_vec();
        Test::Anomaly(Anomaly { of: anomaly.of.clone(), deviations: anomaly.deviations, history })
    }

    /// Evidence shows the columns whose names the SQL has.
    fn condition(&self, sql: &str, references: &References) -> Result<Test, QualityError> {
        let condition = references.conditions.get(sql).cloned();
        let condition = condition.ok_or_else(|| self.not_looked_up(sql))?;
        let words: Vec<&str> = sql.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let named = self.spec.schema.iter().enumerate().filter(|(_, column)| words.contains(&column.name.as_str()));
        Ok(Test::Condition { condition, columns: named.map(|(position, _)| position).collect() })
    }

    fn row_test(&self, check: &Check, references: &References) -> Result<Test, QualityError> {
        let (column, check) = if let Some(not_null) = &check.not_null {
            (self.position(&not_null.column)?, RowCheck::NotNull)
        } else if let Some(between) = &check.between {
            let limits = Limits { min: between.min, max: between.max };
            (self.typed("between", &between.column, NUMBERS, "a number")?, RowCheck::Between(limits))
        } else if let Some(one_of) = &check.one_of {
            let column = self.typed("oneOf", &one_of.column, WORDS, "a string or a whole number")?;
            (column, self.one_of(column, one_of.values.iter().cloned())?)
        } else if let Some(matches) = &check.matches {
            let column = self.typed("matches", &matches.column, STRINGS, "a string")?;
            (column, RowCheck::Matches(self.regex(&matches.column, &matches.regex)?))
        } else if let Some(wanted) = &check.references {
            let column = self.typed("references", &wanted.column, WORDS, "a string or a whole number")?;
            let values = references.values.get(&(wanted.dataset.clone(), wanted.field.clone()));
            let values = values.ok_or_else(|| self.no_reference(wanted))?;
            // A reference to text that is no number can be met by no number.
            let numbers = |text: &&String| self.is_text(column) || text.parse::<i64>().is_ok();
            (column, self.one_of(column, values.iter().filter(numbers).cloned())?)
        } else {
            return Err(self.unsound("no check on rows is set".into()));
        };
        Ok(Test::Row { column, check: Arc::new(check) })
    }

    fn is_text(&self, column: usize) -> bool {
        self.spec.schema[column].type_ == ColumnType::String
    }

    fn one_of(&self, column: usize, values: impl Iterator<Item = String>) -> Result<RowCheck, QualityError> {
        if self.is_text(column) {
            return Ok(RowCheck::OneOf(Words::new(values)));
        }
        let number = |text: String| {
            text.parse::<i64>().map_err(|_| {
                self.unsound(format!(
                    "{text:?} is not a whole number, and column {} is one",
                    self.spec.schema[column].name
                ))
            })
        };
        Ok(RowCheck::OneOfIntegers(values.map(number).collect::<Result<_, _>>()?))
    }

    fn unique(&self, columns: &[String]) -> Result<Test, QualityError> {
        if columns.is_empty() {
            return Err(self.unsound("check.unique.columns must name at least one column".into()));
        }
        let positions = self.positions(columns)?;
        let types = self.types(&positions);
        Ok(Test::Unique(Unique::new(positions, &types)?))
    }

    fn series(&self, series: &CompleteSeries) -> Result<Test, QualityError> {
        if series.every.micros() <= 0 {
            return Err(self.unsound("check.completeSeries.every must be longer than 0".into()));
        }
        let time = self.typed("completeSeries", &series.column, TIMES, "a timestamp")?;
        let by = self.positions(&series.by)?;
        let types = self.types(&by);
        Ok(Test::Series(Series::new(time, series.every, by, &types)?))
    }

    fn positions(&self, columns: &[String]) -> Result<Vec<usize>, QualityError> {
        columns.iter().map(|column| self.position(column)).collect()
    }

    fn position(&self, column: &str) -> Result<usize, QualityError> {
        self.spec.schema.iter().position(|known| known.name == column).ok_or_else(|| self.missing(column))
    }

    fn types(&self, positions: &[usize]) -> Vec<DataType> {
        positions.iter().map(|i| arrow_type(self.spec.schema[*i].type_)).collect()
    }

    fn typed(
        &self,
        check: &'static str,
        column: &str,
        allowed: &[ColumnType],
        needs: &'static str,
    ) -> Result<usize, QualityError> {
        let position = self.position(column)?;
        let is = self.spec.schema[position].type_;
        if allowed.contains(&is) {
            return Ok(position);
        }
        let (expectation, column) = (self.expectation.to_owned(), column.to_owned());
        Err(QualityError::WrongType { expectation, check, column, needs, is: type_name(is) })
    }

    fn regex(&self, column: &str, regex: &str) -> Result<Regex, QualityError> {
        Regex::new(regex).map_err(|source| QualityError::BadRegex {
            expectation: self.expectation.to_owned(),
            column: column.to_owned(),
            regex: regex.to_owned(),
            source: Box::new(source),
        })
    }

    fn missing(&self, column: &str) -> QualityError {
        let has: Vec<&str> = self.spec.schema.iter().map(|column| column.name.as_str()).collect();
        QualityError::MissingColumn {
            expectation: self.expectation.to_owned(),
            column: column.to_owned(),
            has: has.join(", "),
        }
    }

    fn no_reference(&self, wanted: &bedplate_kinds::References) -> QualityError {
        QualityError::NoReference {
            expectation: self.expectation.to_owned(),
            column: wanted.column.clone(),
            dataset: wanted.dataset.clone(),
            field: wanted.field.clone(),
        }
    }

    fn not_looked_up(&self, what: &str) -> QualityError {
        QualityError::NotLookedUp { expectation: self.expectation.to_owned(), what: what.to_owned() }
    }

    fn unsound(&self, message: String) -> QualityError {
        QualityError::Unsound { expectation: self.expectation.to_owned(), message }
    }
}
