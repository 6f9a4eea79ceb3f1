//! Severities, evidence and refusals, one by one.

use std::collections::{HashMap, HashSet};

use bedplate_kinds::{
    Between, Check, CompleteSeries, ExpectationSuiteSpec, Matches, OnColumn, OneOf, RowCount, Severity, Unique,
};
use bedplate_lake::quality::{self, Program, QualityError, References};
use bedplate_types::{ErrorKind, Explained, Span};

use crate::table::{HOUR, batch, expect, row, spec};

fn slow(severity: Severity) -> bedplate_kinds::Expectation {
    let between = Between { column: "speed".into(), min: Some(0.0), max: Some(200.0) };
    expect("wind is possible", severity, Check { between: Some(between), ..Check::default() })
}

fn suite(expectations: Vec<bedplate_kinds::Expectation>) -> ExpectationSuiteSpec {
    ExpectationSuiteSpec { expectations }
}

fn refusal(check: Check) -> QualityError {
    let suite = suite(vec![expect("e", Severity::Warn, check)]);
    Program::compile(&suite, &spec(), &References::default()).unwrap_err()
}

#[test]
fn a_quarantined_row_does_not_go_on_and_says_why() {
    let no_origin = OnColumn { column: "origin".into() };
    let origin = expect("origin known", Severity::Quarantine, Check { not_null: Some(no_origin), ..Check::default() });
    let mut program =
        Program::compile(&suite(vec![slow(Severity::Quarantine), origin]), &spec(), &References::default()).unwrap();
    let verdict = program.observe(&batch(&[row("EWR", 5.0, 1, 0), (None, Some(1048.0), None, None)])).unwrap();
    assert_eq!(verdict.keep.iter().collect::<Vec<_>>(), [Some(true), Some(false)]);
    assert_eq!(verdict.rejected.len(), 1);
    assert_eq!(verdict.rejected[0].row, 1);
    let reasons: Vec<&str> = verdict.rejected[0].reasons.iter().map(|reason| &**reason).collect();
    assert_eq!(reasons, ["wind is possible", "origin known"]);
    let outcomes = program.finish();
    assert!(!outcomes[0].passed);
    assert_eq!((outcomes[0].failing, outcomes[0].observed), (1, 2));
    assert_eq!(outcomes[0].detail, "1 of 2 rows failed, the first is row 1 with speed 1048.0");
    assert_eq!(quality::blocking(&outcomes).count(), 0);
}

#[test]
fn warn_and_block_keep_the_row_and_block_refuses_the_whole() {
    for (severity, blocked) in [(Severity::Warn, 0), (Severity::Block, 1)] {
        let mut program = Program::compile(&suite(vec![slow(severity)]), &spec(), &References::default()).unwrap();
        let verdict = program.observe(&batch(&[row("EWR", f64::NAN, 1, 0)])).unwrap();
        assert_eq!(verdict.keep.true_count(), 1);
        assert!(verdict.rejected.is_empty());
        let outcomes = program.finish();
        assert!(!outcomes[0].passed);
        assert_eq!(quality::blocking(&outcomes).count(), blocked);
    }
}

#[test]
fn mostly_decides_only_whether_it_passed() {
    for (mostly, passed) in [(0.75, true), (0.76, false)] {
        let mut expectation = slow(Severity::Quarantine);
        expectation.mostly = Some(mostly);
        let mut program = Program::compile(&suite(vec![expectation]), &spec(), &References::default()).unwrap();
        let rows = [1.0, 2.0, 3.0, 999.0].map(|speed| row("EWR", speed, 1, 0));
        assert_eq!(program.observe(&batch(&rows)).unwrap().rejected.len(), 1);
        assert_eq!(program.finish()[0].passed, passed, "{mostly}");
    }
}

#[test]
fn a_column_that_is_not_nullable_needs_no_expectation() {
    let mut spec = spec();
    spec.schema[0].nullable = false;
    let mut program = Program::compile(&suite(vec![]), &spec, &References::default()).unwrap();
    assert_eq!(program.observe(&batch(&[(None, None, None, None)])).unwrap().keep.true_count(), 0);
    assert_eq!(program.finish()[0].name, "origin is not nullable");
    assert!(Program::compile(&suite(vec![]), &spec, &References::default()).unwrap().finish().is_empty());
}

#[test]
fn checks_on_the_whole_table() {
    let series = CompleteSeries { column: "at".into(), every: Span::from_micros(HOUR), by: vec!["origin".into()] };
    let complete = expect("hourly", Severity::Warn, Check { complete_series: Some(series), ..Check::default() });
    let count = RowCount { min: Some(5), max: None };
    let enough = expect("enough", Severity::Block, Check { row_count: Some(count), ..Check::default() });
    let mut program = Program::compile(&suite(vec![complete, enough]), &spec(), &References::default()).unwrap();
    let rows = [row("EWR", 1.0, 1, 0), row("EWR", 1.0, 1, 3), row("JFK", 1.0, 1, 7)];
    program.observe(&batch(&rows)).unwrap();
    let outcomes = program.finish();
    assert_eq!(outcomes[0].detail, "EWR 2 hours missing");
    assert_eq!((outcomes[0].failing, outcomes[0].observed, outcomes[0].passed), (2, 5, false));
    assert_eq!(outcomes[1].detail, "3 rows, expected at least 5");
    assert_eq!(quality::blocking(&outcomes).next().unwrap().name, "enough");
}

#[test]
fn references_look_in_the_given_values() {
    let check = || Check {
        references: Some(bedplate_kinds::References {
            column: "origin".into(),
            dataset: "airports".into(),
            field: "faa".into(),
        }),
        ..Check::default()
    };
    assert_eq!(refusal(check()).kind(), ErrorKind::NotReady);
    let values = HashMap::from([(("airports".into(), "faa".into()), HashSet::from(["EWR".into()]))]);
    let known = References { values, ..References::default() };
    let suite = suite(vec![expect("known airport", Severity::Quarantine, check())]);
    let mut program = Program::compile(&suite, &spec(), &known).unwrap();
    let verdict = program.observe(&batch(&[row("EWR", 1.0, 1, 0), row("XXX", 1.0, 1, 0), (None, None, None, None)]));
    assert_eq!(verdict.unwrap().keep.iter().collect::<Vec<_>>(), [Some(true), Some(false), Some(true)]);
}

#[test]
fn a_set_may_be_of_whole_numbers() {
    let check = |values: &[&str]| Check {
        one_of: Some(OneOf { column: "count".into(), values: values.iter().map(|value| (*value).into()).collect() }),
        ..Check::default()
    };
    assert!(refusal(check(&["1", "two"])).to_string().contains("\"two\" is not a whole number"));
    let suite = suite(vec![expect("known count", Severity::Quarantine, check(&["1", "-2"]))]);
    let mut program = Program::compile(&suite, &spec(), &References::default()).unwrap();
    let verdict = program.observe(&batch(&[row("A", 1.0, -2, 0), row("A", 1.0, 2, 0), (None, None, None, None)]));
    assert_eq!(verdict.unwrap().keep.iter().collect::<Vec<_>>(), [Some(true), Some(false), Some(true)]);
}

#[test]
fn a_suite_that_does_not_fit_names_expectation_column_and_fix() {
    let missing = refusal(Check { not_null: Some(OnColumn { column: "wind".into() }), ..Check::default() });
    assert_eq!(
        missing.to_string(),
        "expectation \"e\" is on column \"wind\", which the dataset does not have; it has origin, speed, count, at"
    );
    let between = Between { column: "origin".into(), min: None, max: None };
    let wrong = refusal(Check { between: Some(between), ..Check::default() });
    assert_eq!(
        wrong.to_string(),
        "expectation \"e\" (between) needs column \"origin\" to be a number, and it is string"
    );
    let matches = Matches { column: "origin".into(), regex: "(".into() };
    let bad = refusal(Check { matches: Some(matches), ..Check::default() });
    let none = refusal(Check::default());
    let empty = refusal(Check { unique: Some(Unique { columns: vec![] }), ..Check::default() });
    for error in [missing, wrong, bad, none, empty] {
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.fix().unwrap().contains('e'), "{error}");
    }
}

#[test]
fn a_batch_of_another_shape_is_an_error_and_no_panic() {
    let mut program = Program::compile(&suite(vec![slow(Severity::Warn)]), &spec(), &References::default()).unwrap();
    let other = batch(&[]).project(&[0, 1]).unwrap();
    assert!(matches!(program.observe(&other), Err(QualityError::Batch(_))));
}
