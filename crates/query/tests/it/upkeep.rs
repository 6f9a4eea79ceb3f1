//! Versions of a table: read as they were, joined, brought back, and removed.

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use bedplate_kinds::Load;
use bedplate_query::{AsOf, By, TableError, TableRef, TableVersion, UpkeepError, Vacuum, Vacuumed};
use bedplate_types::{Explained, Span, Timestamp};

use crate::loads::Landing;
use crate::table::latest;

const AT: (&str, &str) = ("demo", "weather");
const OBJECT: &str = "one";
const DAY: i64 = 86_400_000_000;

/// Five loads of two rows each: versions 0 to 4.
async fn landing() -> Landing {
    let landing = Landing::new(Load::NewFiles);
    for load in 0..5 {
        landing.put(&format!("{load}.csv"), &format!("{},1 {},2", load * 2, load * 2 + 1));
        landing.load().await.unwrap();
    }
    landing
}

fn by() -> By {
    By { name: "ada".into(), at: Timestamp::from_micros(7) }
}

async fn numbers(landing: &Landing, version: Option<i64>) -> Vec<f64> {
    let table = TableRef { alias: "t".into(), namespace: AT.0.into(), name: AT.1.into(), version };
    landing.site.lake.sql(&[table], "SELECT n FROM t ORDER BY n").await.unwrap().f64("n").unwrap()
}

fn up_to(end: i32) -> Vec<f64> {
    (0..end).map(f64::from).collect()
}

fn versions(landing: &Landing) -> Vec<TableVersion> {
    landing.site.lake.versions(AT.0, AT.1).unwrap()
}

/// As though all commits but the last had been made a day apart, the last but one a day ago.
fn age(table: &Path, now: i64) {
    let mut logs: Vec<_> = fs::read_dir(table.join("_delta_log")).unwrap().map(|entry| entry.unwrap().path()).collect();
    logs.retain(|path| path.extension().is_some_and(|end| end == "json"));
    logs.sort();
    for (back, path) in logs.iter().rev().enumerate() {
        let millis = (now - i64::try_from(back).unwrap() * DAY) / 1_000;
        let lines = fs::read_to_string(path).unwrap();
        let lines = lines.lines().map(|line| {
            let mut action: serde_json::Value = serde_json::from_str(line).unwrap();
            if let Some(info) = action.get_mut("commitInfo") {
                info["timestamp"] = millis.into();
            }
            action.to_string()
        });
        fs::write(path, lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    }
}

async fn vacuum(landing: &Landing, keep_days: i64, pinned: &[i64], agree: bool) -> Vacuumed {
    let keep = Span::from_micros(keep_days * DAY);
    let vacuum = Vacuum { now: Timestamp::from_micros(NOW), keep, pinned: pinned.iter().copied().collect() };
    let agreed = async |_: &Vacuumed| Ok::<_, UpkeepError>(agree);
    landing.site.lake.vacuum(AT.0, AT.1, vacuum, agreed).await.unwrap()
}

const NOW: i64 = 1_900_000_000_000_000;

#[tokio::test]
async fn small_files_become_one_and_the_rows_stay_in_their_order() {
    let landing = landing().await;
    assert_eq!(numbers(&landing, None).await, up_to(10));
    let (report, done) = landing.site.lake.optimize(AT.0, AT.1, by()).await.unwrap();
    let done = done.unwrap();
    assert_eq!((report.version, report.rows, report.data_files, done.removed, done.added), (5, 10, 1, 5, 1));
    assert_eq!((report.rows_of, report.restored), (4, false));
    let as_they_lie = landing.site.lake.sql(&[latest("weather")], "SELECT n FROM t").await.unwrap();
    assert_eq!(as_they_lie.f64("n").unwrap(), up_to(10), "of one file rows come in their order");
    assert_eq!(numbers(&landing, Some(3)).await, up_to(8), "what was trained on version 3 still reads it");
    let log = fs::read_to_string(landing.site.table().join("_delta_log/00000000000000000005.json")).unwrap();
    assert!(log.contains("\"dataChange\":false") && !log.contains("\"dataChange\":true"), "{log}");
    let (again, nothing) = landing.site.lake.optimize(AT.0, AT.1, by()).await.unwrap();
    assert_eq!((again.version, nothing), (5, None));
    landing.put("5.csv", "10,1");
    let next = landing.load().await.unwrap();
    assert_eq!((next.version, next.rows, next.files.len()), (6, 11, 1), "what was loaded stays loaded");
    assert_eq!(numbers(&landing, None).await, up_to(11));
}

#[tokio::test]
async fn an_optimisation_that_was_killed_has_not_happened() {
    let landing = landing().await;
    landing.site.lake.optimize(AT.0, AT.1, by()).await.unwrap();
    landing.forget(5);
    assert_eq!(numbers(&landing, None).await, up_to(10));
    let (report, _) = landing.site.lake.optimize(AT.0, AT.1, by()).await.unwrap();
    assert_eq!((report.version, report.data_files), (5, 1));
    assert_eq!(numbers(&landing, None).await, up_to(10));
}

#[tokio::test]
async fn an_earlier_version_comes_back_and_what_was_loaded_since_does_not() {
    let landing = landing().await;
    let restored = landing.site.lake.restore(AT, OBJECT, 1, by()).await.unwrap();
    assert_eq!((restored.0.version, restored.0.rows, restored.0.restored, restored.0.rows_of), (5, 4, true, 1));
    assert_eq!(numbers(&landing, None).await, up_to(4));
    let nothing = landing.load().await.unwrap();
    assert_eq!((nothing.rows, nothing.files.len()), (4, 0));
    landing.put("5.csv", "4,1");
    let next = landing.load().await.unwrap();
    assert_eq!((next.rows, next.restored), (5, true));
    assert_eq!(numbers(&landing, None).await, up_to(5));
    assert_eq!(numbers(&landing, Some(4)).await, up_to(10), "nothing is lost");
    for missing in [9, -1] {
        let refused = landing.site.lake.restore(AT, OBJECT, missing, by()).await.unwrap_err();
        assert!(refused.to_string().contains("0 to 7"), "{refused}");
    }
    assert!(landing.site.lake.restore(AT, "another", 1, by()).await.is_err());
}

#[tokio::test]
async fn versions_tell_when_by_what_and_whom() {
    let landing = landing().await;
    landing.site.lake.optimize(AT.0, AT.1, by()).await.unwrap();
    landing.site.lake.restore(AT, OBJECT, 1, by()).await.unwrap();
    let told: Vec<String> = versions(&landing)
        .into_iter()
        .map(|one| {
            format!(
                "{} {} {} {:?} {}+{}-{}",
                one.version, one.operation, one.loaded, one.by, one.files, one.added, one.removed
            )
        })
        .collect();
    assert_eq!(told[0], "0 load 1 None 1+1-0");
    assert_eq!(told[4], "4 load 1 None 5+1-0");
    assert_eq!(told[5], "5 optimize 0 Some(\"ada\") 1+1-5");
    assert_eq!(told[6], "6 restore 0 Some(\"ada\") 2+2-1");
}

#[tokio::test]
async fn a_version_is_found_by_its_number_or_a_moment_and_only_by_whom_it_is_of() {
    let landing = landing().await;
    age(&landing.site.table(), NOW);
    let lake = &landing.site.lake;
    let find = |object: &str, at| lake.version_as_of(AT.0, AT.1, object, &at);
    let moment = |micros| AsOf::Moment(micros, "then".into());
    assert_eq!(find(OBJECT, AsOf::Version(3)).unwrap(), 3);
    for (at, version) in [(NOW, 4), (NOW + DAY, 4), (NOW - 1, 3), (NOW - DAY, 3), (NOW - 4 * DAY, 0)] {
        assert_eq!(find(OBJECT, moment(at)).unwrap(), version);
    }
    for at in [AsOf::Version(5), AsOf::Version(-1), moment(NOW - 4 * DAY - 1)] {
        let missing = find(OBJECT, at).unwrap_err();
        assert!(
            matches!(missing, TableError::NotKept { .. }) && missing.to_string().contains("0 to 4 (since "),
            "{missing}"
        );
        assert!(missing.fix().unwrap().contains("bedplate data versions weather"));
    }
    let theirs = find("another", AsOf::Version(3)).unwrap_err().to_string();
    assert!(!theirs.contains("0 to 4"), "{theirs}");
}

/// Loads of everything: each version has a file of its own. Versions 0 to 4.
async fn replaced() -> Landing {
    let landing = Landing::new(Load::Full);
    for load in 0..5 {
        landing.put("a.csv", &format!("{load},1"));
        landing.load().await.unwrap();
    }
    age(&landing.site.table(), NOW);
    landing
}

fn readable(landing: &Landing) -> Vec<i64> {
    versions(landing).iter().filter(|one| one.readable).map(|one| one.version).collect()
}

#[tokio::test]
async fn a_vacuum_takes_what_is_too_old_and_not_pinned() {
    let landing = replaced().await;
    let dry = vacuum(&landing, 2, &[0], false).await;
    assert_eq!((dry.files, dry.versions.clone(), dry.pinned.clone()), (1, vec![1], vec![0]));
    assert_eq!(readable(&landing), [0, 1, 2, 3, 4], "nothing goes before it is agreed to");
    assert_eq!(vacuum(&landing, 2, &[0], true).await, dry);
    assert_eq!(readable(&landing), [0, 2, 3, 4]);
    assert_eq!(numbers(&landing, Some(0)).await, [0.0], "what a model was trained on is still there");
    assert_eq!(numbers(&landing, None).await, [4.0]);
    let gone = landing.site.lake.version_as_of(AT.0, AT.1, OBJECT, &AsOf::Version(1)).unwrap_err();
    assert!(gone.to_string().contains("v1: its data files were vacuumed or removed"), "{gone}");
    assert!(gone.to_string().contains("0, 2 to 4"), "{gone}");
    assert_eq!(vacuum(&landing, 2, &[0], true).await.files, 0, "it is done once");
    let all = vacuum(&landing, 0, &[], true).await;
    assert_eq!((all.files, all.versions), (3, vec![0, 2, 3]));
    assert_eq!(numbers(&landing, None).await, [4.0], "the current version never goes");
}

#[tokio::test]
async fn a_vacuum_leaves_what_is_being_written_and_takes_what_nobody_has() {
    let landing = replaced().await;
    let table = landing.site.table();
    // Far from NOW: it was written before what is kept.
    fs::write(table.join("part-left-behind.parquet"), "x").unwrap();
    fs::write(table.join(".being-written.parquet"), "x").unwrap();
    fs::write(table.join("notes.txt"), "x").unwrap();
    let about_to_be_committed = table.join("part-written-yesterday.parquet");
    let yesterday = UNIX_EPOCH + Duration::from_micros((NOW - DAY).unsigned_abs());
    fs::File::create(&about_to_be_committed).unwrap().set_modified(yesterday).unwrap();
    let done = vacuum(&landing, 30, &[], true).await;
    assert_eq!((done.files, done.versions), (1, vec![]));
    assert!(!table.join("part-left-behind.parquet").exists() && about_to_be_committed.exists());
    assert!(table.join(".being-written.parquet").exists() && table.join("notes.txt").exists());
}

#[tokio::test]
async fn a_vacuum_after_an_optimisation_takes_the_small_files() {
    let landing = landing().await;
    landing.site.lake.optimize(AT.0, AT.1, by()).await.unwrap();
    age(&landing.site.table(), NOW);
    let done = vacuum(&landing, 0, &[3], true).await;
    assert_eq!((done.files, done.versions), (1, vec![4]));
    assert_eq!(readable(&landing), [0, 1, 2, 3, 5]);
    assert_eq!(numbers(&landing, None).await, up_to(10));
    assert_eq!(numbers(&landing, Some(3)).await, up_to(8));
}
