//! Rows leave the quarantine once, whatever happens in between.

use std::fs;
use std::path::PathBuf;

use bedplate_kinds::{Load, SchemaEvolution, Severity};
use bedplate_query::{Change, Choice, QuarantinedRow, Reason, Review, ReviewAction, ReviewError, ReviewOrder};
use bedplate_types::{ErrorKind, Explained, Timestamp};

use crate::loads::Landing;
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
        choice: Choice { rows: rows.iter().copied().collect(), ..Choice::default() },
        version: None,
    }
}

async fn review(site: &Site, order: ReviewOrder) -> Result<u64, ReviewError> {
    site.lake.review("demo", "weather", order).await.map(|(_, rows)| rows)
}

/// How many versions after this one were made by reviews.
fn reviews(site: &Site, after: i64) -> usize {
    let changes = site.lake.changes_since("demo", "weather", Some(after)).unwrap();
    changes.iter().filter(|change| matches!(change, Change::Review { .. })).count()
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
    let told = site.lake.changes_since("demo", "weather", None).unwrap();
    let [Change::Ingest(_), Change::Review { version, review }] = &told[..] else { panic!("{told:?}") };
    let Review { by, why, rows, action, .. } = review;
    assert_eq!((*version, by.as_str(), why.as_str(), *rows), (1, "user:ana", "the anemometer was right", 1));
    assert_eq!(*action, ReviewAction::Release);
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
    assert_eq!(reviews(&site, 0), 2);
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
        assert_eq!(reviews(&site, 0), 1);
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
    assert_eq!(reviews(&site, 1), 0);
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
    let file = site.dir.path().canonicalize().unwrap().join("weather.parquet").display().to_string();
    let row = |row| QuarantinedRow { row, file: file.clone(), reasons: "wind is possible".into() };
    assert_eq!(found.rows, [row(1), row(3)]);
    assert!(site.lake.quarantined("demo", "flights", 2).await.unwrap().rows.is_empty());
}

/// Row 1 of `a.csv`, and rows 0 and 1 of `b.csv`, the last of which cannot be read.
async fn landing() -> Landing {
    let landing = Landing::new(Load::NewFiles);
    landing.put("a.csv", "1,1 2,999");
    landing.check(0, &[1.0], &[2.0]).await;
    landing.put("b.csv", "3,998 4,calm 5,5");
    landing.check(1, &[1.0, 5.0], &[2.0, 3.0, 4.0]).await;
    landing
}

#[tokio::test]
async fn what_was_released_stays_when_files_are_added() {
    let landing = landing().await;
    assert_eq!(review(&landing.site, order(ReviewAction::Release, &[0])).await.unwrap(), 1);
    landing.check_rows(&[1.0, 3.0, 5.0], &[2.0, 4.0]).await;
    landing.put("c.csv", "6,6 7,997");
    let report = landing.check(3, &[1.0, 3.0, 5.0, 6.0], &[2.0, 4.0, 7.0]).await;
    assert_eq!((report.files.len(), report.appended, report.released), (1, true, 1));
    let told = landing.site.lake.changes_since("demo", "weather", None).unwrap();
    let is_review: Vec<bool> = told.iter().map(|change| matches!(change, Change::Review { .. })).collect();
    assert_eq!(is_review, [false, false, true, false]);
}

#[tokio::test]
async fn a_load_that_adds_completes_a_review_that_was_cut_off() {
    let landing = landing().await;
    review(&landing.site, order(ReviewAction::Release, &[0])).await.unwrap();
    cut_off(&landing.site, 2);
    landing.put("c.csv", "6,6");
    landing.check(3, &[1.0, 3.0, 5.0, 6.0], &[2.0, 4.0]).await;
    let again = review(&landing.site, order(ReviewAction::Release, &[0])).await.unwrap_err();
    assert!(matches!(again, ReviewError::NotThere { .. }), "{again}");
}

#[tokio::test]
async fn rows_of_a_load_that_never_came_are_not_reviewed() {
    let landing = landing().await;
    landing.put("c.csv", "6,6 7,997");
    landing.load().await.unwrap();
    landing.forget(2);
    let by_reason = ReviewOrder {
        choice: Choice { reason: Some("wind is possible".into()), ..Choice::default() },
        ..order(ReviewAction::Release, &[])
    };
    assert_eq!(review(&landing.site, by_reason).await.unwrap(), 2);
    landing.check_rows(&[1.0, 2.0, 3.0, 5.0], &[4.0]).await;
    landing.check(3, &[1.0, 2.0, 3.0, 5.0, 6.0], &[4.0, 7.0]).await;
}

#[tokio::test]
async fn a_number_that_two_files_have_needs_the_file() {
    let landing = landing().await;
    let discard = |file: Option<String>| ReviewOrder {
        choice: Choice { rows: [1].into(), file, ..Choice::default() },
        ..order(ReviewAction::Discard, &[])
    };
    let unclear = review(&landing.site, discard(None)).await.unwrap_err();
    assert!(matches!(unclear, ReviewError::Ambiguous { row: 1, .. }), "{unclear}");
    let file = landing.folder().canonicalize().unwrap().join("b.csv").display().to_string();
    assert!(unclear.to_string().contains(&file) && unclear.fix().unwrap().contains("--file"), "{unclear}");
    assert_eq!(review(&landing.site, discard(Some(file))).await.unwrap(), 1);
    landing.check_rows(&[1.0, 5.0], &[2.0, 3.0]).await;
}

#[tokio::test]
async fn a_row_that_could_not_be_read_is_not_released() {
    let landing = landing().await;
    let all = review(&landing.site, order(ReviewAction::Release, &[])).await.unwrap_err();
    assert_eq!(all.kind(), ErrorKind::Refused);
    assert!(all.to_string().contains("row 1 cannot be released") && all.to_string().contains("calm"), "{all}");
    let unread = ReviewOrder {
        choice: Choice { reason: Some("can be read as declared".into()), ..Choice::default() },
        ..order(ReviewAction::Discard, &[])
    };
    assert_eq!(review(&landing.site, unread).await.unwrap(), 1);
    assert_eq!(review(&landing.site, order(ReviewAction::Release, &[])).await.unwrap(), 2);
    landing.check_rows(&[1.0, 2.0, 3.0, 5.0], &[]).await;
}

#[tokio::test]
async fn rows_from_before_a_column_are_released_without_it() {
    let mut landing = landing().await;
    landing.spec.source.schema_evolution = SchemaEvolution::AddColumns;
    let humid = bedplate_kinds::Column { name: "humid".into(), nullable: true, ..landing.spec.schema[1].clone() };
    landing.spec.schema.push(humid);
    landing.check(2, &[1.0, 5.0], &[2.0, 3.0, 4.0]).await;
    assert_eq!(review(&landing.site, order(ReviewAction::Release, &[0])).await.unwrap(), 1);
    landing.check_rows(&[1.0, 3.0, 5.0], &[2.0, 4.0]).await;
    assert_eq!(landing.site.rows("weather", "humid").await.strings("humid").unwrap(), [None, None, None]);
}

#[tokio::test]
async fn what_every_load_finds_again_is_not_reviewed() {
    let landing = Landing::new(Load::Watermark);
    landing.put("a.csv", "1,1 2,999");
    landing.load().await.unwrap();
    let refused = review(&landing.site, order(ReviewAction::Release, &[])).await.unwrap_err();
    assert!(matches!(refused, ReviewError::FoundAgain { .. }), "{refused}");
    landing.check_rows(&[1.0], &[2.0]).await;
}
