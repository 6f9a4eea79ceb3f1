//! Expectations over the table: what is kept of files and merged says what one pass over all rows says.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::BooleanArray;
use bedplate_kinds::{
    Between, Check, CompleteSeries, DatasetSpec, Distinct, Drift, Expectation, ExpectationOutcome,
    ExpectationSuiteSpec, Freshness, Increasing, Load, Mean, OnColumn, OneOf, Over, Quantile, RowCount, Severity,
    Unique,
};
use bedplate_lake::quality::{Kept, Profile, Program, QualityError, References, TableState};
use bedplate_types::{Span, Timestamp};
use proptest::prelude::*;

use crate::table::{HOUR, Row, batch, expect, row, spec};

fn over_table(severity: Severity, checks: impl IntoIterator<Item = Check>) -> ExpectationSuiteSpec {
    let named = checks.into_iter().enumerate().map(|(i, check)| expect(&format!("e{i}"), severity, check));
    let expectations = named.map(|expectation| Expectation { over: Over::Table, ..expectation });
    ExpectationSuiteSpec { expectations: expectations.collect() }
}

fn unique(columns: &[&str]) -> Check {
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    Check { unique: Some(Unique { columns }), ..Check::default() }
}

fn rising() -> Check {
    Check { increasing: Some(Increasing { column: "count".into(), strictly: true }), ..Check::default() }
}

fn everything() -> ExpectationSuiteSpec {
    let none = Check::default;
    let (speed, count, at) = (|| "speed".to_owned(), || "count".to_owned(), || "at".to_owned());
    let (every, by) = (Span::from_micros(HOUR), vec!["origin".to_owned()]);
    let checks = [
        Check { not_null: Some(OnColumn { column: "origin".into() }), ..none() },
        Check { between: Some(Between { column: count(), min: Some(1.0), max: None }), ..none() },
        unique(&["count"]),
        unique(&["origin", "at"]),
        Check { row_count: Some(RowCount { min: Some(10), max: Some(30) }), ..none() },
        Check { complete_series: Some(CompleteSeries { column: at(), every, by }), ..none() },
        Check { distinct: Some(Distinct { column: speed(), min: Some(3), max: None }), ..none() },
        Check { freshness: Some(Freshness { column: at(), max_age: every }), ..none() },
        Check {
            drift: Some(Drift {
                column: count(),
                dataset: Some("before".into()),
                field: None,
                psi: Some(0.5),
                ks: Some(0.3),
            }),
            ..none()
        },
        Check { mean: Some(Mean { column: count(), min: Some(1.0), max: Some(2.0) }), ..none() },
        Check { quantile: Some(Quantile { column: count(), quantile: 0.5, min: None, max: Some(2.0) }), ..none() },
    ];
    over_table(Severity::Warn, checks)
}

fn references() -> References {
    let reference = Profile::numbers(&[(0.0, 3), (1.0, 2), (3.0, 5)]);
    References {
        profiles: HashMap::from([("e8".into(), Arc::new(reference))]),
        now: Timestamp::from_micros(9 * HOUR),
        ..References::default()
    }
}

/// Rows of files that are in the table, each with what was kept of it.
type Files<'a> = Vec<(&'a [Row], Kept)>;

fn state(suite: &ExpectationSuiteSpec, files: &mut Files<'_>) -> TableState {
    let mut state = TableState::compile(suite, &spec(), &references()).unwrap();
    for (rows, kept) in files {
        let mut file = state.file(std::mem::take(kept));
        if file.columns().is_some() {
            file.observe(&batch(rows)).unwrap();
        }
        // As it comes back from a disk.
        let text = serde_json::to_string(&file.finish().unwrap().0).unwrap();
        *kept = serde_json::from_str(&text).unwrap();
    }
    state
}

fn judged(suite: &ExpectationSuiteSpec, files: &mut Files<'_>, load: &[Row]) -> Vec<ExpectationOutcome> {
    let mut program = Program::compile(suite, &spec(), &references()).unwrap();
    program.follow(state(suite, files)).unwrap();
    program.observe(&batch(load)).unwrap();
    program.finish()
}

/// All but the sentences, and the quantile's value, which is estimated.
fn exact(outcomes: &[ExpectationOutcome]) -> Vec<(bool, u64, u64, Option<f64>)> {
    let exact = outcomes.iter().filter(|outcome| outcome.name != "e10");
    exact.map(|outcome| (outcome.passed, outcome.failing, outcome.observed, outcome.value)).collect()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let origin = prop::option::of(prop::sample::select(vec!["A", "B", "C"]).prop_map(str::to_owned));
    let speed = prop::option::of(prop_oneof![-3.0..3.0_f64, Just(f64::NAN), Just(0.0), Just(-0.0)]);
    prop::collection::vec((origin, speed, prop::option::of(0..4_i64), prop::option::of(-9..9_i64)), 0..40)
}

proptest! {
    #[test]
    fn files_and_a_load_say_what_one_pass_says(rows in rows(), a in 0..40_usize, b in 0..40_usize) {
        let (a, b) = (a.min(b).min(rows.len()), a.max(b).min(rows.len()));
        let mut files: Files<'_> = vec![(&rows[..a], Kept::default()), (&rows[a..b], Kept::default())];
        let read = judged(&everything(), &mut files, &rows[b..]);
        let whole = judged(&everything(), &mut Vec::new(), &rows);
        prop_assert_eq!(exact(&read), exact(&whole));
        prop_assert_eq!(read[10].observed, whole[10].observed);
        let kept = judged(&everything(), &mut files, &rows[b..]);
        prop_assert_eq!(&kept, &read, "what was kept says what was read, to the bit");
    }
}

#[test]
fn many_values_are_kept_as_they_are_estimated() {
    let many: Vec<Row> = (0..10_000).map(|n| row("A", n as f64 * 0.1, n, n)).collect();
    let mut files: Files<'_> = vec![(&many[..6_000], Kept::default()), (&many[6_000..9_000], Kept::default())];
    let read = judged(&everything(), &mut files, &many[9_000..]);
    assert!(read[6].detail.starts_with("about ") && read[6].observed == 10_000, "{}", read[6].detail);
    assert_eq!(judged(&everything(), &mut files, &many[9_000..]), read);
}

#[test]
fn only_what_is_not_kept_is_read() {
    let rows = [row("A", 1.0, 1, 0), row("B", 2.0, 5, 2)];
    let counted = || Check { row_count: Some(RowCount { min: Some(1), max: None }), ..Check::default() };
    let mean =
        |max| Check { mean: Some(Mean { column: "speed".into(), min: None, max: Some(max) }), ..Check::default() };
    let needed = |checks: Vec<Check>, kept: &Kept| {
        let mut state = TableState::compile(&over_table(Severity::Warn, checks), &spec(), &references()).unwrap();
        state.file(kept.clone()).columns()
    };
    let suite = over_table(Severity::Warn, [counted(), mean(3.0)]);
    let mut files: Files<'_> = vec![(&rows, Kept::default())];
    drop(state(&suite, &mut files));
    let kept = files.remove(0).1;
    assert_eq!(needed(vec![counted(), mean(3.0)], &kept), None);
    assert_eq!(needed(vec![mean(4.0)], &kept), Some(BTreeSet::from([1])), "another expectation's is not this one's");
    assert_eq!(
        needed(vec![counted(), unique(&["origin", "at"])], &kept),
        Some(BTreeSet::from([0, 3])),
        "keys are read"
    );
    let one_of = OneOf { column: "origin".into(), values: vec!["A".into()] };
    assert_eq!(needed(vec![Check { one_of: Some(one_of), ..Check::default() }], &kept), Some(BTreeSet::from([0])));
}

fn reasons(suite: &ExpectationSuiteSpec, files: &[&[Row]], load: &[Row]) -> Vec<(usize, String)> {
    let mut program = Program::compile(suite, &spec(), &references()).unwrap();
    let mut files: Files<'_> = files.iter().map(|rows| (*rows, Kept::default())).collect();
    program.follow(state(suite, &mut files)).unwrap();
    let verdict = program.observe(&batch(load)).unwrap();
    verdict.rejected.iter().map(|rejected| (rejected.row, rejected.reasons.join("; "))).collect()
}

#[test]
fn a_row_that_stays_out_is_in_nobodys_way() {
    let mut suite = over_table(Severity::Quarantine, [unique(&["count"])]);
    let known = Check { not_null: Some(OnColumn { column: "origin".into() }), ..Check::default() };
    suite.expectations.push(expect("known", Severity::Quarantine, known));
    let anonymous = |count| (None, Some(0.0), Some(count), Some(0));
    let table = [row("A", 0.0, 1, 0)];
    let load = [anonymous(2), row("B", 0.0, 2, 0), row("C", 0.0, 2, 0), anonymous(1), row("D", 0.0, 1, 0)];
    let found = reasons(&suite, &[&table], &load);
    let expected = [(0, "known"), (2, "e0"), (3, "known"), (4, "e0")].map(|(row, why)| (row, why.to_owned()));
    assert_eq!(found, expected);
}

#[test]
fn what_is_measured_is_what_the_table_will_have() {
    let mut suite =
        over_table(Severity::Warn, [Check { row_count: Some(RowCount { min: None, max: None }), ..Check::default() }]);
    let once = over_table(Severity::Quarantine, [unique(&["count"])]).expectations.remove(0);
    suite.expectations.push(Expectation { name: "once".into(), ..once });
    let (table, load) = ([row("A", 0.0, 1, 0), row("A", 0.0, 2, 0)], [row("B", 0.0, 2, 0), row("B", 0.0, 3, 0)]);
    let outcomes = judged(&suite, &mut vec![(&table, Kept::default())], &load);
    let told =
        ["3 rows, of the whole table", "1 of 4 rows failed, the first is row 0 with count 2, of the whole table"];
    assert_eq!([&outcomes[0].detail, &outcomes[1].detail], told);
}

#[test]
fn rows_that_are_known_are_not_judged_again() {
    let suite = over_table(Severity::Warn, [unique(&["count"])]);
    let table = [row("A", 0.0, 1, 0)];
    let mut program = Program::compile(&suite, &spec(), &references()).unwrap();
    program.follow(state(&suite, &mut vec![(&table, Kept::default())])).unwrap();
    let load = batch(&[row("A", 0.0, 1, 0), row("A", 0.0, 2, 0)]);
    program.observe_with_known(&load, Some(&BooleanArray::from(vec![false, true]))).unwrap();
    let outcome = program.finish().remove(0);
    assert_eq!((outcome.failing, outcome.observed), (0, 2), "{}", outcome.detail);
}

#[test]
fn a_load_rises_above_the_greatest_of_the_table() {
    let suite = over_table(Severity::Quarantine, [rising()]);
    let (first, second) = ([row("A", 0.0, 7, 0), row("A", 0.0, 2, 0)], [row("A", 0.0, 3, 0)]);
    let load = [row("A", 0.0, 7, 0), row("A", 0.0, 8, 0), row("A", 0.0, 5, 0), row("A", 0.0, 6, 0)];
    let found: Vec<usize> = reasons(&suite, &[&first, &second], &load).into_iter().map(|(row, _)| row).collect();
    assert_eq!(found, [0, 2]);
}

#[test]
fn a_source_whose_loads_cannot_be_judged_so_is_refused() {
    let refused = |load, severity, check| {
        let mut spec: DatasetSpec = spec();
        spec.source.load = load;
        match Program::compile(&over_table(severity, [check]), &spec, &references()) {
            Ok(_) => String::new(),
            Err(error @ QualityError::Unsound { .. }) => error.to_string(),
            Err(other) => panic!("{other}"),
        }
    };
    let counted = || Check { row_count: Some(RowCount { min: None, max: None }), ..Check::default() };
    let merged = refused(Load::Merge, Severity::Warn, counted());
    assert!(merged.contains("\"e0\": over: table is not for a source of load: merge"), "{merged}");
    let watched = refused(Load::Watermark, Severity::Quarantine, unique(&["count"]));
    assert!(watched.contains("use warn or block"), "{watched}");
    for load in [Load::Full, Load::NewFiles] {
        assert_eq!(refused(load, Severity::Quarantine, unique(&["count"])), "");
    }
    assert_eq!(refused(Load::Watermark, Severity::Block, unique(&["count"])), "");
    assert_eq!(refused(Load::Watermark, Severity::Quarantine, counted()), "", "it rejects no row");
}
