//! Wherever the rows are cut, two programs merged say what one says that saw all of them.

use std::collections::HashMap;
use std::sync::Arc;

use bedplate_kinds::{
    Between, Check, CompleteSeries, Distinct, Drift, ExpectationOutcome, ExpectationSuiteSpec, Freshness, Increasing,
    Mean, OnColumn, Quantile, RowCount, Severity, Unique,
};
use bedplate_lake::quality::{Profile, Program, QualityError, References};
use bedplate_types::{Span, Timestamp};
use proptest::prelude::*;

use crate::table::{HOUR, Row, batch, expect, spec};

fn suite() -> ExpectationSuiteSpec {
    let none = Check::default;
    let column = |name: &str| name.to_owned();
    let unique = |columns: &[&str]| Check {
        unique: Some(Unique { columns: columns.iter().map(|name| column(name)).collect() }),
        ..none()
    };
    let checks = [
        Check { not_null: Some(OnColumn { column: column("origin") }), ..none() },
        Check { between: Some(Between { column: column("count"), min: Some(1.0), max: None }), ..none() },
        unique(&["count"]),
        unique(&["origin"]),
        unique(&["origin", "at"]),
        Check { increasing: Some(Increasing { column: column("at"), strictly: false }), ..none() },
        Check { increasing: Some(Increasing { column: column("speed"), strictly: true }), ..none() },
        Check { row_count: Some(RowCount { min: Some(10), max: Some(30) }), ..none() },
        Check {
            complete_series: Some(CompleteSeries {
                column: column("at"),
                every: Span::from_micros(HOUR),
                by: vec![column("origin")],
            }),
            ..none()
        },
        Check { distinct: Some(Distinct { column: column("speed"), min: Some(3), max: None }), ..none() },
        Check { freshness: Some(Freshness { column: column("at"), max_age: Span::from_micros(HOUR) }), ..none() },
        Check {
            drift: Some(Drift {
                column: column("count"),
                dataset: Some("before".into()),
                field: None,
                psi: Some(0.5),
                ks: Some(0.3),
            }),
            ..none()
        },
        Check { mean: Some(Mean { column: column("count"), min: Some(1.0), max: Some(2.0) }), ..none() },
        Check {
            quantile: Some(Quantile { column: column("count"), quantile: 0.5, min: None, max: Some(2.0) }),
            ..none()
        },
    ];
    let expectations = checks.into_iter().enumerate();
    let named = expectations.map(|(i, check)| expect(&format!("e{i}"), Severity::Warn, check));
    ExpectationSuiteSpec { expectations: named.collect() }
}

fn program() -> Program {
    let reference = Profile::numbers(&[(0.0, 3), (1.0, 2), (3.0, 5)]);
    let references = References {
        profiles: HashMap::from([("e11".into(), Arc::new(reference))]),
        now: Timestamp::from_micros(9 * HOUR),
        ..References::default()
    };
    Program::compile(&suite(), &spec(), &references).unwrap()
}

fn seen(rows: &[Row], size: usize) -> Program {
    let mut program = program();
    rows.chunks(size).for_each(|piece| drop(program.observe(&batch(piece)).unwrap()));
    program
}

/// What is counted exactly: everything but the sentences, and the quantile's value.
fn exact(outcomes: Vec<ExpectationOutcome>) -> Vec<(String, bool, u64, u64, Option<f64>)> {
    let exact = outcomes.into_iter().filter(|outcome| outcome.name != "e13");
    exact.map(|o| (o.name, o.passed, o.failing, o.observed, o.value)).collect()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let origin = prop::option::of(prop::sample::select(vec!["A", "B", "C"]).prop_map(str::to_owned));
    let speed = prop::option::of(prop_oneof![-3.0..3.0_f64, Just(f64::NAN), Just(0.0), Just(-0.0)]);
    prop::collection::vec((origin, speed, prop::option::of(0..4_i64), prop::option::of(-9..9_i64)), 0..40)
}

proptest! {
    #[test]
    fn merged_is_as_the_whole(rows in rows(), cut in 0..40_usize, size in 1..20_usize) {
        let cut = cut.min(rows.len());
        let mut merged = seen(&rows[..cut], size);
        merged.merge(seen(&rows[cut..], size)).unwrap();
        let (merged, whole) = (merged.finish(), seen(&rows, size).finish());
        prop_assert_eq!(merged[13].observed, whole[13].observed);
        prop_assert_eq!(exact(merged), exact(whole));
    }

    #[test]
    fn merging_goes_in_any_grouping(rows in rows(), a in 0..40_usize, b in 0..40_usize) {
        let (a, b) = (a.min(b).min(rows.len()), a.max(b).min(rows.len()));
        let [first, second, third] = [&rows[..a], &rows[a..b], &rows[b..]];
        let mut left = seen(first, 7);
        left.merge(seen(second, 7)).unwrap();
        left.merge(seen(third, 7)).unwrap();
        let mut tail = seen(second, 7);
        tail.merge(seen(third, 7)).unwrap();
        let mut right = seen(first, 7);
        right.merge(tail).unwrap();
        prop_assert_eq!(exact(left.finish()), exact(right.finish()));
    }
}

#[test]
fn what_was_compiled_of_another_suite_is_refused() {
    let mut shorter = suite();
    shorter.expectations.truncate(3);
    let other = Program::compile(&shorter, &spec(), &References::default()).unwrap();
    assert!(matches!(program().merge(other), Err(QualityError::NotAlike)));
    let mut renamed = suite();
    renamed.expectations.truncate(3);
    renamed.expectations[2].name = "other".into();
    let mut short = Program::compile(&shorter, &spec(), &References::default()).unwrap();
    let renamed = Program::compile(&renamed, &spec(), &References::default()).unwrap();
    assert!(matches!(short.merge(renamed), Err(QualityError::NotAlike)));
}
