//! A suite over the table: each load is judged with the rows that are there, and only new files are read for it.

use std::fs;
use std::path::PathBuf;

use bedplate_kinds::{Check, Expectation, ExpectationSuiteSpec, Load, Mean, Over, RowCount, Severity, Unique};
use bedplate_query::{By, Choice, IngestError, IngestReport, ReviewAction, ReviewOrder};
use bedplate_types::Timestamp;

use crate::loads::Landing;

fn expect(name: &str, severity: Severity, check: Check) -> Expectation {
    Expectation { name: name.into(), severity, mostly: None, over: Over::Table, check }
}

/// `n` once in the table, at most so many rows, and a mean of the wind.
fn suite(severity: Severity, most: u64) -> ExpectationSuiteSpec {
    let unique = Check { unique: Some(Unique { columns: vec!["n".into()] }), ..Check::default() };
    let rows = Check { row_count: Some(RowCount { min: None, max: Some(most) }), ..Check::default() };
    let wind = Mean { column: "wind_speed".into(), min: None, max: None };
    let mean = Check { mean: Some(wind), ..Check::default() };
    let expectations = vec![
        expect("once", severity, unique),
        expect("few", Severity::Block, rows),
        expect("wind", Severity::Warn, mean),
    ];
    ExpectationSuiteSpec { expectations }
}

async fn load(landing: &Landing, suite: &ExpectationSuiteSpec) -> Result<IngestReport, IngestError> {
    landing.site.load(&landing.folder().join("*.csv"), &landing.spec, Some(suite)).await
}

/// Loads, and finds these numbers in the table and in quarantine, and this mean of the wind of so many rows.
async fn check(landing: &Landing, rows: &[f64], bad: &[f64], wind: (f64, u64)) -> IngestReport {
    let report = load(landing, &suite(Severity::Quarantine, 8)).await.unwrap();
    landing.check_rows(rows, bad).await;
    let outcome = &report.outcomes[2];
    assert_eq!((outcome.value.unwrap(), outcome.observed), wind, "{}", outcome.detail);
    report
}

fn kept(landing: &Landing) -> Vec<PathBuf> {
    let entries = fs::read_dir(landing.site.table().join("_suite")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

async fn two_loads(landing: &Landing) {
    landing.put("a.csv", "1,10 2,20 2,99");
    check(landing, &[1.0, 2.0], &[2.0], (15.0, 2)).await;
    landing.put("b.csv", "2,99 3,30");
    check(landing, &[1.0, 2.0, 3.0], &[2.0, 2.0], (20.0, 3)).await;
}

#[tokio::test]
async fn a_row_that_an_earlier_load_brought_is_found_again() {
    for landing in [Landing::new(Load::NewFiles), Landing::parted(Load::NewFiles)] {
        two_loads(&landing).await;
        assert!(!kept(&landing).is_empty());
        landing.put("c.csv", "1,99 4,40");
        let report = check(&landing, &[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 2.0], (25.0, 4)).await;
        assert_eq!(report.outcomes[0].failing, 1, "{}", report.outcomes[0].detail);
        assert_eq!(report.outcomes[1].detail, "4 rows, expected at most 8, of the whole table");
    }
}

#[tokio::test]
async fn what_is_kept_of_files_is_made_anew_where_it_is_gone_or_damaged() {
    let landing = Landing::new(Load::NewFiles);
    two_loads(&landing).await;
    fs::remove_dir_all(landing.site.table().join("_suite")).unwrap();
    landing.put("c.csv", "4,40");
    check(&landing, &[1.0, 2.0, 3.0, 4.0], &[2.0, 2.0], (25.0, 4)).await;
    assert_eq!(kept(&landing).len(), 2, "one for each file that was there");
    for path in kept(&landing) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("\"kept\""), "{text}");
        fs::write(&path, &text[..text.len() / 2]).unwrap();
    }
    fs::write(landing.site.table().join("_suite/.tmp-left"), "x").unwrap();
    landing.put("d.csv", "5,50");
    check(&landing, &[1.0, 2.0, 3.0, 4.0, 5.0], &[2.0, 2.0], (30.0, 5)).await;
    assert_eq!(kept(&landing).len(), 3);
}

#[tokio::test]
async fn what_is_kept_is_used_and_only_of_the_file_it_was_kept_of() {
    let landing = Landing::new(Load::NewFiles);
    two_loads(&landing).await;
    // Believed as it lies there: a file is not read again for what is known of it.
    let one = kept(&landing).remove(0);
    let text = fs::read_to_string(&one).unwrap();
    assert_eq!(text.matches("\"count\":2").count(), 1, "{text}");
    fs::write(&one, text.replace("\"count\":2", "\"count\":7")).unwrap();
    landing.put("c.csv", "4,40");
    assert_eq!(load(&landing, &suite(Severity::Quarantine, 8)).await.unwrap().outcomes[2].observed, 7 + 1 + 1);
    for path in kept(&landing) {
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"modified\":", "\"modified\":1")).unwrap();
    }
    landing.put("d.csv", "5,50");
    check(&landing, &[1.0, 2.0, 3.0, 4.0, 5.0], &[2.0, 2.0], (30.0, 5)).await;
}

#[tokio::test]
async fn a_load_that_would_make_too_many_rows_is_refused() {
    let landing = Landing::new(Load::NewFiles);
    two_loads(&landing).await;
    landing.put("c.csv", "4,40 5,50");
    let mut few = suite(Severity::Warn, 4);
    few.expectations.retain(|expectation| expectation.name == "few");
    let refused = load(&landing, &few).await.unwrap_err().to_string();
    assert!(refused.contains("few (5 rows, expected at most 4, of the whole table)"), "{refused}");
    landing.check_rows(&[1.0, 2.0, 3.0], &[2.0, 2.0]).await;
}

#[tokio::test]
async fn released_rows_and_joined_files_are_rows_of_the_table() {
    let landing = Landing::new(Load::NewFiles);
    two_loads(&landing).await;
    let file = landing.folder().canonicalize().unwrap().join("b.csv").to_str().unwrap().to_owned();
    let release = ReviewOrder {
        action: ReviewAction::Release,
        by: "user:ana".into(),
        why: "both are right".into(),
        at: Timestamp::from_micros(9),
        choice: Choice { file: Some(file), ..Choice::default() },
        version: None,
    };
    landing.site.lake.review("demo", "weather", release).await.unwrap();
    landing.check_rows(&[1.0, 2.0, 2.0, 3.0], &[2.0]).await;
    landing.put("c.csv", "4,40");
    let report = check(&landing, &[1.0, 2.0, 2.0, 3.0, 4.0], &[2.0], ((60.0 + 99.0 + 40.0) / 5.0, 5)).await;
    assert_eq!(report.outcomes[0].failing, 1, "the released one is there twice: {}", report.outcomes[0].detail);
    let by = By { name: "ana".into(), at: Timestamp::from_micros(9) };
    landing.site.lake.optimize("demo", "weather", by).await.unwrap();
    landing.put("d.csv", "5,50 1,99");
    check(&landing, &[1.0, 2.0, 2.0, 3.0, 4.0, 5.0], &[1.0, 2.0], ((199.0 + 50.0) / 6.0, 6)).await;
    assert_eq!(kept(&landing).len(), 1, "of files that were joined nothing is kept");
}

#[tokio::test]
async fn rows_below_a_watermark_are_those_that_are_there() {
    let landing = Landing::new(Load::Watermark);
    landing.put("a.csv", "1,10 2,20");
    load(&landing, &suite(Severity::Warn, 8)).await.unwrap();
    landing.put("b.csv", "2,99 3,30 3,40");
    let report = load(&landing, &suite(Severity::Warn, 8)).await.unwrap();
    landing.check_rows(&[1.0, 2.0, 3.0, 3.0], &[]).await;
    let found = [&report.outcomes[0], &report.outcomes[1]].map(|outcome| (outcome.failing, outcome.observed));
    assert_eq!(found, [(1, 4), (0, 4)], "rows that were read before do not come twice");
    let refused = load(&landing, &suite(Severity::Quarantine, 8)).await.unwrap_err();
    assert!(refused.to_string().contains("use warn or block"), "{refused}");
}
