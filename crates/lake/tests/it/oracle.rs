//! Whatever the rows and wherever the batches end, the program says what a naive look at each row says.

use std::collections::HashSet;

use bedplate_kinds::{
    Between, Check, CompleteSeries, ExpectationOutcome, ExpectationSuiteSpec, Matches, OnColumn, OneOf, Severity,
    Unique,
};
use bedplate_lake::quality::{Program, References};
use bedplate_types::Span;
use proptest::prelude::*;

use crate::table::{HOUR, Row, batch, expect, spec};

const NAMES: [&str; 6] = ["known", "speed", "listed", "shape", "once", "hourly"];

fn suite() -> ExpectationSuiteSpec {
    let column = |name: &str| name.to_owned();
    let none = Check::default;
    let checks = [
        Check { not_null: Some(OnColumn { column: column("origin") }), ..none() },
        Check { between: Some(Between { column: column("speed"), min: Some(-1.5), max: Some(2.0) }), ..none() },
        Check { one_of: Some(OneOf { column: column("origin"), values: vec!["A".into(), "BB".into()] }), ..none() },
        Check { matches: Some(Matches { column: column("origin"), regex: "^[AB]$".into() }), ..none() },
        Check { unique: Some(Unique { columns: vec![column("origin"), column("count")] }), ..none() },
        Check {
            complete_series: Some(CompleteSeries {
                column: column("at"),
                every: Span::from_micros(2 * HOUR),
                by: vec![column("origin")],
            }),
            ..none()
        },
    ];
    let expectations = NAMES.into_iter().zip(checks);
    ExpectationSuiteSpec {
        expectations: expectations.map(|(name, check)| expect(name, Severity::Quarantine, check)).collect(),
    }
}

/// The expectations each row fails, by looking at it and at the rows before it.
fn naive_reasons(rows: &[Row], i: usize) -> Vec<&'static str> {
    let (origin, speed, count, _) = &rows[i];
    let text = origin.as_deref();
    let fails = [
        text.is_none(),
        speed.is_some_and(|speed| !(-1.5..=2.0).contains(&speed)),
        text.is_some_and(|text| text != "A" && text != "BB"),
        text.is_some_and(|text| text != "A" && text != "B"),
        rows[..i].iter().any(|row| row.0 == *origin && row.2 == *count),
    ];
    NAMES.into_iter().zip(fails).filter(|(_, fails)| *fails).map(|(name, _)| name).collect()
}

/// Steps of two hours from each origin's first time to its last in which no row falls.
fn naive_gaps(rows: &[Row]) -> (u64, u64) {
    let origins: HashSet<&Option<String>> = rows.iter().map(|row| &row.0).collect();
    let (mut expected, mut missing) = (0, 0);
    for origin in origins {
        let hours: Vec<i64> = rows.iter().filter(|row| row.0 == *origin).filter_map(|row| row.3).collect();
        let (Some(first), Some(last)) = (hours.iter().min(), hours.iter().max()) else { continue };
        let mut step = *first;
        while step <= *last {
            expected += 1;
            missing += u64::from(!hours.iter().any(|hour| (step..step + 2).contains(hour)));
            step += 2;
        }
    }
    (expected, missing)
}

fn run(rows: &[Row], size: usize) -> (Vec<Vec<String>>, Vec<ExpectationOutcome>) {
    let mut program = Program::compile(&suite(), &spec(), &References::default()).unwrap();
    let mut reasons = vec![Vec::new(); rows.len()];
    for (i, piece) in rows.chunks(size).enumerate() {
        let verdict = program.observe(&batch(piece)).unwrap();
        assert_eq!(verdict.keep.false_count(), verdict.rejected.len());
        for rejected in verdict.rejected {
            assert!(!verdict.keep.value(rejected.row));
            reasons[i * size + rejected.row] = rejected.reasons.iter().map(|reason| reason.to_string()).collect();
        }
    }
    (reasons, program.finish())
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let origin = prop::option::of(prop::sample::select(vec!["A", "B", "BB", "C"]).prop_map(str::to_owned));
    let speed = prop::option::of(prop_oneof![-3.0..3.0_f64, Just(f64::NAN), Just(-1.5), Just(2.0)]);
    prop::collection::vec((origin, speed, prop::option::of(0..4_i64), prop::option::of(-9..9_i64)), 0..40)
}

proptest! {
    #[test]
    fn agrees_with_the_naive_look(rows in rows(), size in 1..20_usize) {
        let (reasons, outcomes) = run(&rows, size);
        for (i, reasons) in reasons.iter().enumerate() {
            prop_assert_eq!(reasons, &naive_reasons(&rows, i), "row {}", i);
        }
        for outcome in &outcomes[..5] {
            let failing = (0..rows.len()).filter(|i| naive_reasons(&rows, *i).contains(&outcome.name.as_str())).count();
            prop_assert_eq!(outcome.failing, failing as u64);
            prop_assert_eq!(outcome.observed, rows.len() as u64);
            prop_assert_eq!(outcome.passed, failing == 0);
        }
        prop_assert_eq!((outcomes[5].observed, outcomes[5].failing), naive_gaps(&rows));
    }
}
