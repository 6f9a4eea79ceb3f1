//! Ingest: counts, quarantine, versions, refusals.

use std::fs;

use bedplate_kinds::{ColumnType, Severity};
use bedplate_query::{CancellationToken, IngestError, Lake, SourceError, TableRef};
use bedplate_types::{Digest, ErrorKind, Explained};

use crate::table::{COLUMNS, Site, calm, spec};

#[tokio::test]
async fn bad_rows_go_to_quarantine_with_reason_and_row() {
    let site = Site::new();
    let report = site.ingest(&[3.5, 1048.0, 7.0, -1.0], Severity::Quarantine).await.unwrap();
    assert_eq!((report.rows_read, report.rows, report.quarantined, report.version), (4, 2, 2, 0));
    assert!(report.bytes > 0);
    assert_eq!(report.outcomes[0].detail, "2 of 4 rows failed, the first is row 1 with wind_speed 1048.0");
    assert_eq!(report.location, site.table());
    assert!(report.quarantine_location.as_ref().unwrap().join("_delta_log").is_dir());

    assert_eq!(site.rows("weather", "wind_speed").await.f64("wind_speed").unwrap(), [3.5, 7.0]);
    let bad = site.rows("weather__quarantine", "_row, _reasons, _file, wind_speed, time_hour").await;
    assert_eq!(bad.f64("_row").unwrap(), [1.0, 3.0]);
    assert_eq!(bad.strings("_reasons").unwrap(), [Some("wind is possible".into()), Some("wind is possible".into())]);
    assert!(bad.strings("_file").unwrap()[0].as_ref().unwrap().ends_with("/weather.parquet"));
    assert_eq!(bad.micros("time_hour").unwrap(), [Some(3_600_000_000), Some(3 * 3_600_000_000)]);
}

#[tokio::test]
async fn a_second_ingest_replaces_the_rows_and_old_versions_stay_readable() {
    let site = Site::new();
    site.ingest(&[1.0, 999.0], Severity::Quarantine).await.unwrap();
    let second = site.ingest(&[2.0, 3.0, 4.0], Severity::Quarantine).await.unwrap();
    assert_eq!((second.version, second.rows, second.quarantined), (1, 3, 0));
    assert_eq!(second.quarantine_location, None);
    assert_eq!(site.rows("weather", "wind_speed").await.f64("wind_speed").unwrap(), [2.0, 3.0, 4.0]);
    assert_eq!(site.rows("weather__quarantine", "_row").await.rows(), 0);

    let old = TableRef { alias: "t".into(), namespace: "demo".into(), name: "weather".into(), version: Some(0) };
    let old = site.lake.sql(&[old], "SELECT wind_speed FROM t").await.unwrap();
    assert_eq!(old.f64("wind_speed").unwrap(), [1.0]);
}

#[tokio::test]
async fn a_version_says_what_it_was_made_from_also_after_reopening() {
    let site = Site::new();
    assert_eq!(site.lake.committed("demo", "weather").await.unwrap(), None);
    let report = site.ingest(&[1.0, 999.0], Severity::Quarantine).await.unwrap();
    let again = Lake::open(site.dir.path().join("lake")).unwrap();
    let committed = again.committed("demo", "weather").await.unwrap().unwrap();
    assert_eq!((committed.version, committed.input_digest), (0, Digest::from_sha256([7; 32])));
    assert_eq!(committed.report, report);
}

#[tokio::test]
async fn a_changed_schema_is_a_new_version_of_the_same_table() {
    let site = Site::new();
    site.ingest(&[1.0], Severity::Warn).await.unwrap();
    let mut columns = COLUMNS;
    columns[1].1 = ColumnType::Int32;
    let (source, narrower) = (site.source(&[5.0]), spec(&columns));
    let report = site.load(&source, &narrower, None).await.unwrap();
    assert_eq!(report.version, 1);
    let frame = site.rows("weather", "*").await;
    assert_eq!(frame.schema, bedplate_lake::schema::arrow_schema(&narrower));
}

#[tokio::test]
async fn a_block_expectation_refuses_and_leaves_the_last_version() {
    let site = Site::new();
    site.ingest(&[1.0], Severity::Block).await.unwrap();
    let error = site.ingest(&[1.0, 999.0], Severity::Block).await.unwrap_err();
    assert!(error.to_string().contains("wind is possible (1 of 2 rows failed"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(site.rows("weather", "wind_speed").await.f64("wind_speed").unwrap(), [1.0]);
    let files = fs::read_dir(site.table()).unwrap().count();
    assert_eq!(files, 2, "one data file and the log");
}

#[tokio::test]
async fn a_bad_source_is_one_clear_error() {
    let site = Site::new();
    let (source, spec_) = (site.source(&[1.0, 2.0]), spec(&COLUMNS));
    let bytes = fs::read(&source).unwrap();
    fs::write(&source, &bytes[..bytes.len() / 2]).unwrap();
    let truncated = site.load(&source, &spec_, None).await.unwrap_err();
    assert!(matches!(truncated, IngestError::Source(SourceError::Broken { .. })));
    assert!(truncated.to_string().contains("weather.parquet"));
    fs::write(&source, {
        let mut broken = bytes.clone();
        broken[4..40].fill(0xff);
        broken
    })
    .unwrap();
    let broken = site.load(&source, &spec_, None).await.unwrap_err();
    assert!(matches!(broken, IngestError::Source(SourceError::Broken { .. })), "{broken}");
    fs::remove_file(&source).unwrap();
    let gone = site.load(&source, &spec_, None).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::Invalid);
    for error in [truncated, broken, gone] {
        assert!(error.fix().unwrap().contains("weather.parquet"), "{error}");
    }
    assert!(!site.table().join("_delta_log").exists());
}

#[tokio::test]
async fn a_source_or_suite_that_does_not_fit_is_refused_before_anything_is_written() {
    let site = Site::new();
    let source = site.source(&[1.0]);
    let without = spec(&COLUMNS[..3]);
    let extra = site.load(&source, &without, None).await.unwrap_err();
    assert_eq!(extra.kind(), ErrorKind::Invalid);
    assert!(extra.fix().unwrap().contains("add time_hour"));
    let other = spec(&[("time_hour", ColumnType::Timestamp)]);
    let suite = calm(Severity::Warn);
    let error = site.load(&source, &other, Some(&suite)).await.unwrap_err();
    assert!(matches!(error, IngestError::Source(SourceError::Schema { .. })));
    assert!(site.lake.committed("demo", "weather").await.unwrap().is_none());
}

#[tokio::test]
async fn a_cancelled_ingest_commits_nothing() {
    let site = Site::new();
    let (source, spec) = (site.source(&[1.0]), spec(&COLUMNS));
    let cancel = CancellationToken::new();
    cancel.cancel();
    let loaded = site.load_until(&source, &spec, None, cancel).await;
    assert!(matches!(loaded, Err(IngestError::Cancelled { .. })));
    assert!(site.lake.committed("demo", "weather").await.unwrap().is_none());
}

#[tokio::test]
async fn a_source_without_rows_makes_an_empty_table() {
    let site = Site::new();
    let report = site.ingest(&[], Severity::Quarantine).await.unwrap();
    assert_eq!((report.rows, report.bytes, report.version), (0, 0, 0));
    assert_eq!(site.rows("weather", "*").await.schema, bedplate_lake::schema::arrow_schema(&spec(&COLUMNS)));
}

#[tokio::test]
async fn two_ingests_of_one_table_follow_each_other() {
    let site = Site::new();
    let (source, spec) = (site.source(&[1.0, 2.0]), spec(&COLUMNS));
    let (first, second) = tokio::join!(site.load(&source, &spec, None), site.load(&source, &spec, None));
    let mut versions = [first.unwrap().version, second.unwrap().version];
    versions.sort_unstable();
    assert_eq!(versions, [0, 1]);
    assert_eq!(site.rows("weather", "wind_speed").await.rows(), 2);
}

#[tokio::test]
async fn a_name_cannot_leave_the_lake() {
    let site = Site::new();
    for name in ["../x", "", ".spill", "a/b"] {
        assert_eq!(site.lake.location("demo", name).unwrap_err().kind(), ErrorKind::Invalid, "{name}");
    }
}

#[tokio::test]
async fn a_dropped_ingest_stops_and_does_not_disturb_the_next() {
    let site = Site::new();
    let (source, spec) = (site.source(&[1.0; 20_000]), spec(&COLUMNS));
    for _ in 0..5 {
        let started = tokio::time::timeout(std::time::Duration::from_millis(3), site.load(&source, &spec, None));
        drop(started.await);
        assert_eq!(site.load(&source, &spec, None).await.unwrap().rows, 20_000);
    }
    let hidden = fs::read_dir(site.table())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".unfinished"));
    assert_eq!(hidden.count(), 0);
}
