//! Rows leave the quarantine once, whatever happens in between.

use std::fs;
use std::path::PathBuf;

use bedplate_kinds::Severity;
use bedplate_query::{Choice, Reason, Review, ReviewAction, ReviewError, ReviewOrder};
use bedplate_types::{ErrorKind, Explained, Timestamp};

use crate::table::Site;

/// Rows 1, 3 and 4 are in quarantine.
async fn site() -> Site {
    let site = Site::new();
    site.ingest(&[3.5, 1048.0, 7.0, -1.0, 300.0], Severity::Quarantine).await.unwrap();
    site
}

fn order(action: ReviewAction, rows: &[i64]) -> ReviewOrder {
    ReviewOrder {
        action,
        by: "user:ana".into(),
        why: "the anemometer was right".into(),
        at: Timestamp::from_micros(9),
        choice: Choice { rows: rows.iter().copied().collect(), reason: None },
        version: None,
    }
}

async fn review(site: &Site, order: ReviewOrder) -> Result<u64, ReviewError> {
    site.lake.review("demo", "weather", order).await.map(|(_, rows)| rows)
}

/// The speeds in the table, and the numbers of the rows in quarantine.
async fn check(site: &Site, speeds: &[f64], quarantined: &[f64]) {
    assert_eq!(site.rows("weather", "wind_speed").await.f64("wind_speed").unwrap(), speeds);
    assert_eq!(site.rows("weather__quarantine", "_row").await.f64("_row").unwrap(), quarantined);
}

#[tokio::test]
async fn released_rows_are_rows_of_the_table_like_others() {
    let site = site().await;
    let order = ReviewOrder { version: Some(0), ..order(ReviewAction::Release, &[1]) };
    let (report, rows) = site.lake.review("demo", "weather", order).await.unwrap();
    assert_eq!((rows, report.version, report.rows, report.quarantined, report.released), (1, 1, 3, 2, 1));
    check(&site, &[3.5, 7.0, 1048.0], &[3.0, 4.0]).await;
    assert_eq!(site.rows("weather", "*").await.schema.fields().len(), 4);
    let committed = site.lake.committed("demo", "weather").await.unwrap().unwrap();
    assert_eq!(committed.report, report);
    let told = site.lake.reviews("demo", "weather", 0).await.unwrap().unwrap();
    assert_eq!(told.len(), 1);
    let (version, Review { by, why, rows, action, .. }) = &told[0];
    assert_eq!((*version, by.as_str(), why.as_str(), *rows), (1, "user:ana", "the anemometer was right", 1));
    assert_eq!(*action, ReviewAction::Release);
    assert_eq!(site.lake.reviews("demo", "weather", -1).await.unwrap(), None, "the first version was an ingest");
}

#[tokio::test]
async fn rows_are_chosen_by_reason_by_number_or_all() {
    let site = site().await;
    let by_reason = |reason: &str| ReviewOrder {
        choice: Choice { reason: Some(reason.into()), ..Choice::default() },
        ..order(ReviewAction::Discard, &[])
    };
    let nothing = review(&site, by_reason("wind")).await.unwrap_err();
    assert!(matches!(nothing, ReviewError::Nothing { .. }) && nothing.kind() == ErrorKind::NotFound);
    assert_eq!(review(&site, order(ReviewAction::Discard, &[3, 4])).await.unwrap(), 2);
    check(&site, &[3.5, 7.0], &[1.0]).await;
    assert_eq!(review(&site, by_reason("wind is possible")).await.unwrap(), 1);
    check(&site, &[3.5, 7.0], &[]).await;
    assert_eq!(site.lake.reviews("demo", "weather", 0).await.unwrap().unwrap().len(), 2);
    let empty = review(&site, order(ReviewAction::Release, &[])).await.unwrap_err();
    assert!(matches!(empty, ReviewError::Nothing { .. }), "{empty}");
}

#[tokio::test]
async fn an_order_that_does_not_fit_changes_nothing() {
    let site = site().await;
    let missing = review(&site, order(ReviewAction::Release, &[1, 2, 9])).await.unwrap_err();
    assert_eq!(missing.to_string(), "rows 2, 9 are not in the quarantine");
    let moved = ReviewOrder { version: Some(7), ..order(ReviewAction::Release, &[1]) };
    assert_eq!(review(&site, moved).await.unwrap_err().kind(), ErrorKind::Conflict);
    check(&site, &[3.5, 7.0], &[1.0, 3.0, 4.0]).await;
    let other = site.lake.review("demo", "flights", order(ReviewAction::Release, &[])).await.unwrap_err();
    assert!(matches!(other, ReviewError::NoQuarantine { .. }) && other.fix().is_some());
}

fn commit(site: &Site, table: &str, version: u64) -> PathBuf {
    site.lake.location("demo", table).unwrap().join(format!("_delta_log/{version:020}.json"))
}

/// As if the process had been killed after the table's commit.
fn cut_off(site: &Site, quarantine_version: u64) {
    fs::remove_file(commit(site, "weather__quarantine", quarantine_version)).unwrap();
}

#[tokio::test]
async fn a_review_that_was_cut_off_is_completed_once() {
    for action in [ReviewAction::Release, ReviewAction::Discard] {
        let site = site().await;
        review(&site, order(action, &[1, 3])).await.unwrap();
        cut_off(&site, 1);
        assert_eq!(site.rows("weather__quarantine", "_row").await.rows(), 3);
        for _ in 0..2 {
            site.lake.finish_review("demo", "weather").await.unwrap();
            let table: &[f64] = if action == ReviewAction::Release { &[-1.0, 3.5, 7.0, 1048.0] } else { &[3.5, 7.0] };
            check(&site, table, &[4.0]).await;
        }
        assert_eq!(site.lake.reviews("demo", "weather", 0).await.unwrap().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn the_next_order_completes_what_was_left_and_finds_the_rows_gone() {
    let site = site().await;
    review(&site, order(ReviewAction::Release, &[1])).await.unwrap();
    cut_off(&site, 1);
    let again = review(&site, order(ReviewAction::Release, &[1])).await.unwrap_err();
    assert_eq!(again.to_string(), "row 1 is not in the quarantine");
    check(&site, &[3.5, 7.0, 1048.0], &[3.0, 4.0]).await;
}

#[tokio::test]
async fn a_review_killed_before_its_commit_has_not_happened() {
    let site = site().await;
    let orphan = site.table().join("part-00000000000000000001-070707070707.parquet");
    fs::write(&orphan, b"PAR1").unwrap();
    site.lake.finish_review("demo", "weather").await.unwrap();
    check(&site, &[3.5, 7.0], &[1.0, 3.0, 4.0]).await;
    assert!(!orphan.exists());
}

#[tokio::test]
async fn an_ingest_replaces_what_was_released() {
    let site = site().await;
    review(&site, order(ReviewAction::Release, &[])).await.unwrap();
    check(&site, &[-1.0, 3.5, 7.0, 300.0, 1048.0], &[]).await;
    let report = site.ingest(&[5.0, 999.0], Severity::Quarantine).await.unwrap();
    assert_eq!((report.version, report.rows, report.quarantined, report.released), (2, 1, 1, 0));
    check(&site, &[5.0], &[1.0]).await;
    assert_eq!(site.lake.reviews("demo", "weather", 1).await.unwrap(), None);
}

#[tokio::test]
async fn a_lost_file_of_released_rows_is_corrupt() {
    let site = site().await;
    let before: Vec<_> = fs::read_dir(site.table()).unwrap().map(|entry| entry.unwrap().path()).collect();
    review(&site, order(ReviewAction::Release, &[1])).await.unwrap();
    let mut after = fs::read_dir(site.table()).unwrap().map(|entry| entry.unwrap().path());
    let released = after.find(|path| !before.contains(path)).unwrap();
    fs::remove_file(released).unwrap();
    let error = site.lake.committed("demo", "weather").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}

#[tokio::test]
async fn a_quarantine_is_counted_by_reason_without_what_is_in_it() {
    let site = site().await;
    let found = site.lake.quarantined("demo", "weather", 2).await.unwrap();
    assert_eq!(found.reasons, [Reason { name: "wind is possible".into(), rows: 3 }]);
    assert_eq!(found.rows, [(1, "wind is possible".to_owned()), (3, "wind is possible".to_owned())]);
    assert!(site.lake.quarantined("demo", "flights", 2).await.unwrap().rows.is_empty());
}
