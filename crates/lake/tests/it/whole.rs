//! Checks on whole columns, conditions, and what earlier ingests observed.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::Float64Type;
use arrow::error::ArrowError;
use bedplate_kinds::{
    Anomaly, Check, Distinct, Drift, ExpectationOutcome, ExpectationSuiteSpec, Freshness, Increasing, Mean, Quantile,
    RowCount, Satisfies, Severity,
};
use bedplate_lake::quality::{Profile, Program, QualityError, References, RowCondition};
use bedplate_types::{ErrorKind, Explained, Span, Timestamp};

use crate::table::{HOUR, Row, batch, expect, row, spec};

fn outcomes(checks: Vec<Check>, references: &References, rows: &[Row]) -> Vec<ExpectationOutcome> {
    let named = checks.into_iter().enumerate();
    let expectations = named.map(|(i, check)| expect(&format!("e{i}"), Severity::Block, check)).collect();
    let mut program = Program::compile(&ExpectationSuiteSpec { expectations }, &spec(), references).unwrap();
    let verdict = program.observe(&batch(rows)).unwrap();
    assert!(verdict.rejected.is_empty());
    program.finish()
}

fn check(check: Check, references: &References, rows: &[Row], passed: bool, detail: &str) {
    let outcome = &outcomes(vec![check], references, rows)[0];
    assert_eq!((outcome.passed, outcome.detail.as_str()), (passed, detail));
}

fn rows() -> [Row; 4] {
    [row("A", 1.0, 1, 0), row("B", 2.0, 5, 2), row("A", 6.0, 5, 1), (None, None, None, None)]
}

#[test]
fn means_quantiles_and_different_values_lie_within_bounds() {
    let none = References::default();
    let mean = |column: &str, max| Check {
        mean: Some(Mean { column: column.into(), min: None, max: Some(max) }),
        ..Check::default()
    };
    check(mean("speed", 3.0), &none, &rows(), true, "the mean of 3 values is 3, expected at most 3");
    check(mean("count", 3.5), &none, &rows(), false, "the mean of 3 values is 3.666667, expected at most 3.5");
    check(mean("count", 3.5), &none, &rows()[3..], false, "there is no value to take a mean of");
    let median = Quantile { column: "count".into(), quantile: 0.5, min: Some(2.0), max: None };
    let found = &outcomes(vec![Check { quantile: Some(median), ..Check::default() }], &none, &rows())[0];
    assert!(found.passed && found.detail.contains("about") && found.detail.contains("t-digest"), "{}", found.detail);
    let distinct = |column: &str, min, max| Check {
        distinct: Some(Distinct { column: column.into(), min, max }),
        ..Check::default()
    };
    check(
        distinct("origin", Some(2), Some(2)),
        &none,
        &rows(),
        true,
        "2 different among 3 values, expected at least 2 and at most 2",
    );
    check(distinct("at", None, Some(2)), &none, &rows(), false, "3 different among 3 values, expected at most 2");
}

#[test]
fn the_newest_time_has_an_age() {
    let fresh = || Check {
        freshness: Some(Freshness { column: "at".into(), max_age: Span::from_micros(HOUR) }),
        ..Check::default()
    };
    let at = |hour: i64| References { now: Timestamp::from_micros(hour * HOUR), ..References::default() };
    check(fresh(), &at(3), &rows(), true, "the newest is 1970-01-01T02:00:00Z, 3600 s old, expected at most 1h");
    assert!(!outcomes(vec![fresh()], &at(4), &rows())[0].passed);
    check(fresh(), &at(3), &rows()[3..], false, "there is no time to tell an age of");
}

#[test]
fn a_fall_is_a_failing_row() {
    let rising = |column: &str, strictly| Check {
        increasing: Some(Increasing { column: column.into(), strictly }),
        ..Check::default()
    };
    let none = References::default();
    check(rising("count", false), &none, &rows(), true, "all 4 rows passed");
    check(rising("count", true), &none, &rows(), false, "1 of 4 rows failed, the first is row 2 with count 5");
    let found = &outcomes(vec![rising("at", false)], &none, &rows())[0];
    assert_eq!((found.failing, found.value), (1, Some(0.25)));
}

#[derive(Debug)]
struct Slow;

impl RowCondition for Slow {
    fn met(&self, batch: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        Ok(batch.column(1).as_primitive::<Float64Type>().iter().map(|speed| speed.map(|speed| speed < 5.0)).collect())
    }
}

#[test]
fn a_condition_is_the_engines_and_null_passes() {
    let satisfies = || Check { satisfies: Some(Satisfies { sql: "speed < 5".into() }), ..Check::default() };
    let conditions: HashMap<String, Arc<dyn RowCondition>> = HashMap::from([("speed < 5".into(), Arc::new(Slow) as _)]);
    let known = References { conditions, ..References::default() };
    check(satisfies(), &known, &rows(), false, "1 of 4 rows failed, the first is row 2 with speed 6.0");
    let suite = ExpectationSuiteSpec { expectations: vec![expect("e", Severity::Warn, satisfies())] };
    let error = Program::compile(&suite, &spec(), &References::default()).unwrap_err();
    assert!(matches!(error, QualityError::NotLookedUp { .. }) && error.kind() == ErrorKind::Internal);
}

fn drift(column: &str, dataset: Option<&str>, ks: Option<f64>) -> Check {
    let (column, dataset) = (column.to_owned(), dataset.map(str::to_owned));
    Check { drift: Some(Drift { column, dataset, field: None, psi: Some(0.2), ks }), ..Check::default() }
}

#[test]
fn drift_is_measured_from_a_reference() {
    let profiles = HashMap::from([("e0".to_owned(), Arc::new(Profile::numbers(&[(1.0, 1), (5.0, 2)])))]);
    let known = References { profiles, ..References::default() };
    let near = "PSI 0, expected at most 0.2; Kolmogorov-Smirnov distance 0, expected at most 0.1";
    check(drift("count", Some("before"), Some(0.1)), &known, &rows(), true, near);
    let far = outcomes(vec![drift("count", Some("before"), Some(0.1))], &known, &rows()[..1]);
    assert!(!far[0].passed && far[0].value.unwrap() > 1.0, "{}", far[0].detail);
    check(drift("count", None, None), &References::default(), &rows(), true, "there is no reference yet");
}

#[test]
fn a_drift_that_cannot_be_measured_is_refused() {
    let refusal = |check: Check, references: &References| {
        let suite = ExpectationSuiteSpec { expectations: vec![expect("e0", Severity::Warn, check)] };
        Program::compile(&suite, &spec(), references).unwrap_err().to_string()
    };
    let none = References::default();
    assert!(refusal(drift("count", Some("before"), None), &none).contains("was not looked up"));
    assert!(refusal(drift("origin", None, Some(0.1)), &none).contains("drift.ks is for numbers"));
    assert!(refusal(drift("at", None, None), &none).contains("needs column \"at\" to be a number or a string"));
    let words = HashMap::from([("e0".to_owned(), Arc::new(Profile::words([("a".to_owned(), 1)])))]);
    let known = References { profiles: words, ..References::default() };
    assert!(refusal(drift("count", Some("before"), None), &known).contains("not of one type"));
}

#[test]
fn an_anomaly_check_watches_another_expectation_wherever_it_stands() {
    let watch = Anomaly { of: "e1".into(), last: 5, deviations: 3.5 };
    let checks = || {
        let count = RowCount { min: Some(1), max: None };
        vec![
            Check { anomaly: Some(watch.clone()), ..Check::default() },
            Check { row_count: Some(count), ..Check::default() },
        ]
    };
    let past = |values: &[f64]| References {
        history: HashMap::from([("e1".to_owned(), values.to_vec())]),
        ..References::default()
    };
    let usual = outcomes(checks(), &past(&[900.0, 4.0, 5.0, 3.0, 4.0, 5.0]), &rows());
    assert_eq!(usual.iter().map(|o| (o.name.as_str(), o.passed)).collect::<Vec<_>>(), [("e0", true), ("e1", true)]);
    let odd = outcomes(checks(), &past(&[100.0, 101.0, 99.0, 100.0, 102.0]), &rows());
    assert!(!odd[0].passed && odd[0].detail.starts_with("e1 observed 4: "), "{}", odd[0].detail);
}
