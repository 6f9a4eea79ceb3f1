//! Loads whose rows take the place of others by their key.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use bedplate_kinds::{ColumnType, Load};
use bedplate_query::{IngestReport, ReviewAction, ReviewError, ReviewOrder};
use bedplate_types::{Explained, Timestamp};

use crate::loads::Landing;
use crate::table::latest;

/// Rows of `n` (the key) and `wind_speed`.
fn landing() -> Landing {
    let mut landing = Landing::new(Load::Merge);
    landing.spec.source.key = vec!["n".into()];
    landing
}

/// The value of a row is its partition: a row whose value changes moves.
fn parted() -> Landing {
    let mut landing = landing();
    landing.spec.schema[1].type_ = ColumnType::Int64;
    landing.spec.partition_by = vec!["wind_speed".into()];
    landing
}

async fn speeds(landing: &Landing) -> BTreeMap<i64, i64> {
    let rows = landing.site.lake.sql(&[latest("weather")], "SELECT n, wind_speed FROM t").await.unwrap();
    let (keys, speeds) = (rows.f64("n").unwrap(), rows.f64("wind_speed").unwrap());
    #[expect(clippy::cast_possible_truncation, reason = "small whole numbers")]
    let pairs: Vec<(i64, i64)> = keys.iter().zip(&speeds).map(|(key, speed)| (*key as i64, *speed as i64)).collect();
    let all: BTreeMap<i64, i64> = pairs.iter().copied().collect();
    assert_eq!(all.len(), pairs.len(), "a key is there twice");
    all
}

#[track_caller]
fn same(found: &BTreeMap<i64, i64>, expect: &[(i64, i64)]) {
    assert_eq!(*found, expect.iter().copied().collect());
}

fn data_files(landing: &Landing) -> BTreeSet<String> {
    let (mut files, mut folders) = (BTreeSet::new(), vec![landing.site.table()]);
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "parquet") {
                files.insert(path.to_str().unwrap().to_owned());
            }
        }
    }
    files
}

fn actions(landing: &Landing, version: i64, sort: &str) -> Vec<String> {
    let log = fs::read_to_string(landing.site.table().join(format!("_delta_log/{version:020}.json"))).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter_map(|line| Some(line.get(sort)?["path"].as_str()?.to_owned())).collect()
}

#[tokio::test]
async fn rows_take_the_place_of_those_with_their_key_and_no_other_file_is_touched() {
    let landing = landing();
    landing.put("a.csv", "1,1 2,2");
    landing.load().await.unwrap();
    landing.put("b.csv", "11,1 12,2");
    let second = landing.load().await.unwrap();
    assert_eq!((second.rows, second.data_files), (4, 2));
    landing.put("c.csv", "2,7 3,3");
    let third: IngestReport = landing.load().await.unwrap();
    assert_eq!((third.version, third.rows, third.appended, third.data_files), (2, 5, true, 3));
    same(&speeds(&landing).await, &[(1, 1), (2, 7), (3, 3), (11, 1), (12, 2)]);
    let (removed, added) = (actions(&landing, 2, "remove"), actions(&landing, 2, "add"));
    assert_eq!((removed.len(), added.len()), (1, 2), "{removed:?} {added:?}");
    assert_eq!(removed, actions(&landing, 0, "add"));
    landing.put("d.csv", "11,5 12,6");
    let fourth = landing.load().await.unwrap();
    assert_eq!((fourth.rows, fourth.data_files), (5, 3), "nothing is left of the file whose rows were all replaced");
    same(&speeds(&landing).await, &[(1, 1), (2, 7), (3, 3), (11, 5), (12, 6)]);
}

#[tokio::test]
async fn of_rows_with_one_key_in_a_load_the_last_counts() {
    let landing = landing();
    landing.put("a.csv", "1,1 2,2 1,3");
    landing.put("b.csv", "2,4");
    let first = landing.load().await.unwrap();
    assert_eq!((first.rows, first.rows_read, first.data_files), (2, 4, 1));
    same(&speeds(&landing).await, &[(1, 3), (2, 4)]);
    assert_eq!(data_files(&landing).len(), 1, "what was written before it was known which rows stay is gone");
}

#[tokio::test]
async fn a_sequence_says_which_row_is_the_last_whenever_it_comes() {
    let mut landing = Landing::new(Load::Merge);
    landing.spec.schema[1].type_ = ColumnType::Int64;
    (landing.spec.source.key, landing.spec.source.sequence_by) = (vec!["n".into()], Some("wind_speed".into()));
    let put = |name: &str, rows: &str| landing.put(name, rows);
    put("a.csv", "1,5 1,3 2,1");
    let load = async || landing.site.load(&landing.folder().join("*.csv"), &landing.spec, None).await.unwrap();
    load().await;
    same(&speeds(&landing).await, &[(1, 5), (2, 1)]);
    put("b.csv", "1,4 2,2");
    let report = load().await;
    assert_eq!((report.rows, report.data_files), (2, 2));
    same(&speeds(&landing).await, &[(1, 5), (2, 2)]);
    put("c.csv", "1,4");
    let late = load().await;
    assert_eq!((late.rows, late.data_files), (2, 2), "a late row changes nothing");
    same(&speeds(&landing).await, &[(1, 5), (2, 2)]);
}

#[tokio::test]
async fn a_row_without_a_key_goes_to_quarantine_and_none_of_it_is_released() {
    let landing = landing();
    landing.put("a.csv", "1,1 ,2 3,999");
    let report = landing.load().await.unwrap();
    assert_eq!((report.rows, report.quarantined), (1, 2));
    let lake = &landing.site.lake;
    let found = lake.quarantined("demo", "weather", 9).await.unwrap();
    assert!(found.rows.iter().any(|row| row.reasons.contains("n is null, and load: merge goes by it")), "{found:?}");
    let order = |action| ReviewOrder {
        action,
        by: "ada".into(),
        why: "so".into(),
        at: Timestamp::from_micros(0),
        choice: bedplate_query::Choice { rows: [2].into(), reason: None, file: None },
        version: None,
    };
    let refused = lake.review("demo", "weather", order(ReviewAction::Release)).await.unwrap_err();
    assert!(matches!(refused, ReviewError::HasKey { .. }) && refused.fix().unwrap().contains("discard"), "{refused}");
    let (report, rows) = lake.review("demo", "weather", order(ReviewAction::Discard)).await.unwrap();
    assert_eq!((report.quarantined, rows), (1, 1));
    landing.put("b.csv", "1,8 3,9");
    let next = landing.load().await.unwrap();
    assert_eq!((next.rows, next.quarantined), (2, 1));
    same(&speeds(&landing).await, &[(1, 8), (3, 9)]);
}

#[tokio::test]
async fn a_merge_that_was_killed_has_not_happened_and_happens_once() {
    // What is left of the file with a replaced row, and the new row's; in partitions no other row was with the replaced one.
    for (landing, written) in [(landing(), 2), (parted(), 1)] {
        killed(landing, written).await;
    }
}

async fn killed(landing: Landing, written: usize) {
    landing.put("a.csv", "1,1 2,2");
    landing.load().await.unwrap();
    let before = data_files(&landing);
    landing.put("b.csv", "2,7 ,3");
    landing.load().await.unwrap();
    landing.forget(1);
    same(&speeds(&landing).await, &[(1, 1), (2, 2)]);
    let again = landing.load().await.unwrap();
    assert_eq!((again.version, again.rows, again.quarantined), (1, 2, 1));
    same(&speeds(&landing).await, &[(1, 1), (2, 7)]);
    assert_eq!(data_files(&landing).difference(&before).count(), written, "nothing of the killed one is left");
    let nothing = landing.load().await.unwrap();
    assert_eq!((nothing.rows, nothing.files.len()), (2, 0));
}

#[tokio::test]
async fn a_table_that_was_loaded_whole_is_merged_into() {
    let mut landing = Landing::new(Load::Full);
    landing.put("a.csv", "1,1 2,2 2,3");
    landing.load().await.unwrap();
    (landing.spec.source.load, landing.spec.source.key) = (Load::Merge, vec!["n".into()]);
    landing.put("b.csv", "2,7");
    let report = landing.load().await.unwrap();
    assert_eq!((report.rows, report.files.len()), (2, 1));
    same(&speeds(&landing).await, &[(1, 1), (2, 7)]);
}

#[tokio::test]
async fn any_loads_come_to_what_a_map_comes_to() {
    for mut seed in 1..9_u64 {
        let landing = if seed < 6 { landing() } else { parted() };
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i64::try_from((seed >> 33) % below).unwrap()
        };
        let mut expect = BTreeMap::new();
        for load in 0..8 {
            let rows: Vec<(i64, i64)> = (0..=next(30)).map(|_| (next(25) + load * next(8), next(90))).collect();
            expect.extend(rows.iter().copied());
            let lines: Vec<String> = rows.iter().map(|(key, speed)| format!("{key},{speed}")).collect();
            landing.put(&format!("{load}.csv"), &lines.join(" "));
            let report = landing.load().await.unwrap();
            assert_eq!(speeds(&landing).await, expect);
            assert_eq!(report.rows, expect.len() as u64);
        }
    }
}
