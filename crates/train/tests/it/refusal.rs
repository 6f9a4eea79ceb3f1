//! Requests that are refused, and fits that are stopped.

use std::sync::atomic::{AtomicBool, Ordering};

use bedplate_train::{Progress, TrainError};

use crate::sample::{Table, fit, table};

fn check(spoil: impl FnOnce(&mut Table), expected: &str) {
    let mut table = table(50);
    spoil(&mut table);
    assert_eq!(fit(&table.request()).unwrap_err().to_string(), expected);
}

#[test]
fn names_what_is_wrong() {
    check(|t| t.labels[3] = 2.0, "label 2 in row 3 is neither 0 nor 1");
    check(|t| t.labels[3] = f64::NAN, "label NaN in row 3 is neither 0 nor 1");
    check(|t| t.labels.fill(1.0), "every label is 1: there is nothing to tell apart");
    check(|t| t.columns[2].truncate(7), "feature \"c\" has 7 values for 50 labels");
    check(|t| t.names.truncate(3), "3 feature names were given for 4 features");
    check(|t| t.labels.clear(), "there is nothing to train on: 0 rows, 4 features");
}

#[test]
fn refuses_a_budget_out_of_range() {
    for budget in [0.0, -1.0, 6.0, f32::NAN] {
        let table = table(50);
        let request = bedplate_train::FitRequest { budget, ..table.request() };
        assert!(matches!(fit(&request), Err(TrainError::Budget(_))));
    }
}

#[test]
fn reports_every_tree_and_stops_when_told() {
    let table = table(500);
    let cancel = AtomicBool::new(false);
    let mut seen = Vec::new();
    let mut progress = |step: Progress| {
        seen.push(step.trees);
        cancel.store(step.trees == 3, Ordering::Relaxed);
    };
    let end = bedplate_train::fit(&table.request(), &mut progress, &cancel);
    assert!(matches!(end, Err(TrainError::Cancelled { trees: 3 })));
    assert_eq!(seen, [1, 2, 3]);
}

#[test]
fn keeps_to_the_limit_and_bears_columns_that_tell_nothing() {
    let mut table = table(300);
    table.columns[0].fill(f64::NAN);
    table.columns[1].fill(f64::INFINITY);
    let request = bedplate_train::FitRequest { max_trees: Some(5), ..table.request() };
    assert_eq!(fit(&request).unwrap().n_trees(), 5);
}
