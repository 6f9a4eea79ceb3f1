//! What the engine gives a suite: conditions in SQL, and profiles of columns.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::BooleanArray;
use bedplate_kinds::{Check, Drift, Expectation, ExpectationSuiteSpec, Over, Satisfies, Severity};
use bedplate_lake::quality::{Profile, References};
use bedplate_lake::schema::Conform;
use bedplate_query::IngestError;

use crate::table::{COLUMNS, Site, spec, weather};

fn met(sql: &str) -> Result<BooleanArray, String> {
    let site = Site::new();
    let spec = spec(&COLUMNS);
    let condition = site.lake.condition(&spec, sql).map_err(|error| error.to_string())?;
    let batch = weather(&[1.0, 9.0, f64::NAN]);
    let batch = Conform::compile(&batch.schema(), &spec).unwrap().apply(&batch).unwrap();
    condition.met(&batch).map_err(|error| error.to_string())
}

#[test]
fn a_condition_is_asked_of_every_row() {
    assert_eq!(met("wind_speed < 5 AND origin = 'EWR'").unwrap(), vec![true, false, false].into());
    assert_eq!(met("wind_speed BETWEEN month AND 9").unwrap(), vec![true, true, false].into());
    assert_eq!(met("extract(hour FROM time_hour) > 0").unwrap(), vec![false, true, true].into());
    assert_eq!(met("true").unwrap(), vec![true; 3].into(), "what does not depend on the row has an answer for each");
    assert_eq!(met("nullif(month, 1) > 0").unwrap(), vec![None; 3].into());
}

#[test]
fn what_is_no_condition_of_one_row_is_refused() {
    for (sql, why) in [
        ("wind_speed + 1", "is Float64 and not true or false"),
        ("speed > 1", "column \"speed\" is not there"),
        ("wind_speed >", "the query"),
        ("random() < 0.5", "the same each time"),
        ("time_hour < now()", "the same each time"),
        ("sum(wind_speed) > 1", "of one row"),
        ("wind_speed > (SELECT 1)", "the query"),
        ("wind_speed > 1; DROP TABLE t", "the query"),
    ] {
        let error = met(sql).unwrap_err();
        assert!(error.contains(why), "{sql}: {error}");
    }
}

#[tokio::test]
async fn a_profile_counts_numbers_and_words() {
    let site = Site::new();
    site.ingest(&[2.0, 1.0, 2.0, f64::NAN, 3.0], Severity::Warn).await.unwrap();
    let numbers = site.lake.profile(("demo", "weather"), "wind_speed", false).await.unwrap();
    assert_eq!(numbers, Profile::numbers(&[(1.0, 1), (2.0, 2), (3.0, 1)]));
    let words = site.lake.profile(("demo", "weather"), "origin", true).await.unwrap();
    assert_eq!(words, Profile::words([("EWR".to_owned(), 3), ("JFK".to_owned(), 2)]));
    let whole = site.lake.profile(("demo", "weather"), "month", false).await.unwrap();
    assert_eq!(whole, Profile::numbers(&[(1.0, 5)]));
}

fn suite(name: &str, check: Check) -> ExpectationSuiteSpec {
    let expectation =
        Expectation { name: name.into(), severity: Severity::Quarantine, mostly: None, over: Over::Load, check };
    ExpectationSuiteSpec { expectations: vec![expectation] }
}

#[tokio::test]
async fn a_condition_and_a_profile_go_with_an_ingest() {
    let site = Site::new();
    let (source, spec) = (site.source(&[1.0, 9.0]), spec(&COLUMNS));
    let sql = "wind_speed < 5";
    let calm = suite("calm", Check { satisfies: Some(Satisfies { sql: sql.into() }), ..Check::default() });
    let conditions = HashMap::from([(sql.to_owned(), site.lake.condition(&spec, sql).unwrap())]);
    let references = References { conditions, ..References::default() };
    let report = site.load_with(&source, &calm, references).await.unwrap();
    assert_eq!((report.rows, report.quarantined), (1, 1));
    assert_eq!(report.outcomes[0].detail, "1 of 2 rows failed, the first is row 1 with wind_speed 9.0");

    let drift = Drift { column: "wind_speed".into(), dataset: None, field: None, psi: Some(0.2), ks: None };
    let mut still = suite("still", Check { drift: Some(drift), ..Check::default() });
    still.expectations[0].severity = Severity::Block;
    let profile = site.lake.profile(("demo", "weather"), "wind_speed", false).await.unwrap();
    let profiles = HashMap::from([("still".to_owned(), Arc::new(profile))]);
    let references = References { profiles, ..References::default() };
    let far = site.source(&[70.0, 80.0]);
    let refused = site.load_with(&far, &still, references).await.unwrap_err();
    assert!(matches!(&refused, IngestError::Blocked { outcomes, .. } if outcomes[0].value > Some(1.0)), "{refused}");
}
