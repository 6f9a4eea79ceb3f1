//! From an expectation as it is declared to a rule with column positions, or a refusal that names both.

use arrow::datatypes::DataType;
use bedplate_kinds::{Check, ColumnType, CompleteSeries, DatasetSpec, Expectation, Severity};
use regex::Regex;

use super::row_check::{Bounds, RowCheck};
use super::rule::{Rule, Test};
use super::series::Series;
use super::unique::Unique;
use super::{QualityError, References};
use crate::schema::{arrow_type, type_name};

const NUMBERS: &[ColumnType] = &[ColumnType::Int32, ColumnType::Int64, ColumnType::Float64];
const STRINGS: &[ColumnType] = &[ColumnType::String];
const TIMES: &[ColumnType] = &[ColumnType::Timestamp];

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
    Ok(new_rule(&expectation.name, expectation.severity, mostly, scope.test(&expectation.check, references)?, false))
}

/// The rules of the schema itself: no null where the column says `nullable: false`.
pub(super) fn implied_rules(spec: &DatasetSpec) -> impl Iterator<Item = Rule> {
    let columns = spec.schema.iter().enumerate().filter(|(_, column)| !column.nullable);
    columns.map(|(i, column)| {
        let name = format!("{} is not nullable", column.name);
        new_rule(&name, Severity::Quarantine, 1.0, Test::Row { column: i, check: RowCheck::NotNull }, true)
    })
}

fn new_rule(name: &str, severity: Severity, mostly: f64, test: Test, implied: bool) -> Rule {
    Rule { name: name.into(), severity, mostly, test, implied, failing: 0, first: None }
}

struct Scope<'a> {
    expectation: &'a str,
    spec: &'a DatasetSpec,
}

impl Scope<'_> {
    fn test(&self, check: &Check, references: &References) -> Result<Test, QualityError> {
        if check.set_fields() != 1 {
            return Err(self.unsound(format!("exactly one check must be set, {} are", check.set_fields())));
        }
        if let Some(unique) = &check.unique {
            return self.unique(&unique.columns);
        }
        if let Some(bounds) = &check.row_count {
            return Ok(Test::RowCount(bounds.clone()));
        }
        if let Some(series) = &check.complete_series {
            return self.series(series);
        }
        self.row_test(check, references)
    }

    fn row_test(&self, check: &Check, references: &References) -> Result<Test, QualityError> {
        let (column, check) = if let Some(not_null) = &check.not_null {
            (self.position(&not_null.column)?, RowCheck::NotNull)
        } else if let Some(between) = &check.between {
            let bounds = Bounds { min: between.min, max: between.max };
            (self.typed("between", &between.column, NUMBERS, "a number")?, RowCheck::Between(bounds))
        } else if let Some(one_of) = &check.one_of {
            let values = one_of.values.iter().cloned().collect();
            (self.typed("oneOf", &one_of.column, STRINGS, "a string")?, RowCheck::OneOf(values))
        } else if let Some(matches) = &check.matches {
            let column = self.typed("matches", &matches.column, STRINGS, "a string")?;
            (column, RowCheck::Matches(self.regex(&matches.column, &matches.regex)?))
        } else if let Some(wanted) = &check.references {
            let column = self.typed("references", &wanted.column, STRINGS, "a string")?;
            let values = references.get(&(wanted.dataset.clone(), wanted.field.clone()));
            (column, RowCheck::OneOf(values.ok_or_else(|| self.no_reference(wanted))?.clone()))
        } else {
            return Err(self.unsound("no check on rows is set".into()));
        };
        Ok(Test::Row { column, check })
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

    fn unsound(&self, message: String) -> QualityError {
        QualityError::Unsound { expectation: self.expectation.to_owned(), message }
    }
}
