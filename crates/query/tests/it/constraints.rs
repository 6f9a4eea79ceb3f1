//! Constraints in a table's log: what a dataset declares and what other writers put there bind every way in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use bedplate_kinds::{ColumnType, Constraint, Load};
use bedplate_query::{
    By, Choice, ConstraintError, IngestError, ReviewAction, ReviewError, ReviewOrder, TableError, TableRef,
    UpkeepError, constraint_errors,
};
use bedplate_types::{ErrorKind, Explained, Timestamp};
use serde_json::{Value, json};

use crate::loads::Landing;
use crate::table::{latest, spec};

const CALM: (&str, &str) = ("calm", "wind_speed < 100");

fn declare(landing: &mut Landing, constraints: &[(&str, &str)]) {
    let one = |(name, expression): &(&str, &str)| Constraint { name: (*name).into(), expression: (*expression).into() };
    landing.spec.constraints = constraints.iter().map(one).collect();
}

/// Rows of `n` and `wind_speed`, which expectations want between 0 and 200.
fn landing(load: Load, constraints: &[(&str, &str)]) -> Landing {
    let mut landing = Landing::new(load);
    if load == Load::Merge {
        landing.spec.source.key = vec!["n".into()];
    }
    declare(&mut landing, constraints);
    landing
}

fn log(landing: &Landing) -> Vec<Value> {
    let mut files: Vec<_> = fs::read_dir(landing.site.table().join("_delta_log")).unwrap().collect();
    files.sort_by_key(|file| file.as_ref().unwrap().path());
    let texts = files.into_iter().map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    texts
        .flat_map(|text| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>())
        .collect()
}

fn newest(landing: &Landing, sort: &str) -> Value {
    log(landing).into_iter().rev().find_map(|action| action.get(sort).cloned()).unwrap()
}

/// The constraints in the table's log.
fn constraints(landing: &Landing) -> BTreeMap<String, String> {
    let metadata = newest(landing, "metaData");
    let settings = metadata["configuration"].as_object().unwrap().iter();
    let named = settings.filter_map(|(key, text)| Some((key.strip_prefix("delta.constraints.")?, text.as_str()?)));
    named.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

#[track_caller]
fn has(landing: &Landing, expect: &[(&str, &str)]) {
    let expect: BTreeMap<String, String> = expect.iter().map(|(n, e)| ((*n).into(), (*e).into())).collect();
    assert_eq!(constraints(landing), expect);
}

fn data_files(landing: &Landing) -> BTreeSet<String> {
    let names = fs::read_dir(landing.site.table()).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter_map(|name| name.into_string().ok()).filter(|name| name.contains("parquet")).collect()
}

async fn rows(landing: &Landing) -> Vec<String> {
    let sql = "SELECT concat_ws('|', n, coalesce(CAST(wind_speed AS VARCHAR), 'null')) AS told FROM t ORDER BY n";
    let rows = landing.site.lake.sql(&[latest("weather")], sql).await.unwrap();
    rows.strings("told").unwrap().into_iter().flatten().collect()
}

/// A load that a constraint refuses, told so, with the table as it was.
async fn refused(landing: &Landing, words: &[&str]) {
    let (before, files) = (log(landing), data_files(landing));
    let error = landing.load().await.unwrap_err();
    assert!(matches!(&error, IngestError::Constraint(ConstraintError::Broken { .. })), "{error}");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.fix().unwrap().contains("spec.constraints"), "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{word} is not in {error}");
    }
    assert_eq!(log(landing), before);
    assert!(data_files(landing).is_superset(&files));
}

/// What another writer commits to the table: its metadata, changed, and its protocol.
fn foreign(landing: &Landing, change: impl Fn(&mut Value), protocol: Option<Value>) {
    let mut metadata = newest(landing, "metaData");
    change(&mut metadata);
    let versions = fs::read_dir(landing.site.table().join("_delta_log")).unwrap().count();
    let mut lines = vec![json!({ "commitInfo": { "timestamp": 7, "operation": "ADD CONSTRAINT" } })];
    lines.extend(protocol.map(|protocol| json!({ "protocol": protocol })));
    lines.push(json!({ "metaData": metadata }));
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(landing.site.table().join(format!("_delta_log/{versions:020}.json")), text).unwrap();
}

fn constrain(landing: &Landing, name: &str, expression: &str) {
    let change = |metadata: &mut Value| {
        metadata["configuration"][format!("delta.constraints.{name}")] = expression.into();
    };
    foreign(landing, change, Some(json!({ "minReaderVersion": 1, "minWriterVersion": 3 })));
}

fn by() -> By {
    By { name: "ada".into(), at: Timestamp::from_micros(7) }
}

#[tokio::test]
async fn they_go_into_the_log_with_the_first_rows_and_a_load_that_breaks_one_does_not_happen() {
    let mut landing = landing(Load::NewFiles, &[("calm", "Wind_Speed < 100"), ("counted", "n is not null")]);
    landing.put("a.csv", "1,1 2,2");
    landing.load().await.unwrap();
    has(&landing, &[CALM, ("counted", "n IS NOT NULL")]);
    assert_eq!(newest(&landing, "protocol"), json!({ "minReaderVersion": 1, "minWriterVersion": 3 }));
    landing.put("b.csv", "3,3 4,150 5,120 6,999");
    let place = format!("row 1 of {}/b.csv with wind_speed 150.0", landing.folder().canonicalize().unwrap().display());
    refused(
        &landing,
        &["constraint \"calm\" (wind_speed < 100) is not true of 2 of the rows that are loaded, the first: ", &place],
    )
    .await;
    let quarantine = landing.site.lake.location("demo", "weather__quarantine").unwrap();
    assert!(fs::read_dir(quarantine).unwrap().next().is_none(), "nor do its bad rows");
    landing.put("b.csv", "3,3 4,");
    refused(&landing, &["1 of the rows that are loaded: row 1 of", "with wind_speed null"]).await;
    assert_eq!(rows(&landing).await, ["1|1.0", "2|2.0"]);
    declare(&mut landing, &[("calm", "wind_speed < 100 OR wind_speed IS NULL"), ("counted", "n is not null")]);
    let report = landing.load().await.unwrap();
    assert_eq!((report.version, report.rows), (1, 4));
    has(&landing, &[("calm", "wind_speed < 100 OR wind_speed IS NULL"), ("counted", "n IS NOT NULL")]);
    declare(&mut landing, &[("counted", "n is not null")]);
    assert_eq!(landing.load().await.unwrap().version, 2);
    has(&landing, &[("counted", "n IS NOT NULL")]);
    declare(&mut landing, &[]);
    landing.put("c.csv", "7,150");
    assert_eq!(landing.load().await.unwrap().rows, 5);
    has(&landing, &[]);
}

#[tokio::test]
async fn every_way_of_loading_is_bound() {
    for (load, parted) in [(Load::Full, false), (Load::Watermark, false), (Load::NewFiles, true), (Load::Merge, true)] {
        let mut landing = landing(load, &[CALM]);
        if parted {
            landing.spec.partition_by = vec!["n".into()];
        }
        landing.put("a.csv", "1,1 2,2");
        landing.load().await.unwrap();
        landing.put("b.csv", "3,3 4,150");
        refused(&landing, &["calm", "1 of the rows that are loaded: row 1 of", "b.csv with wind_speed 150.0"]).await;
        landing.put("b.csv", "3,3 4,50");
        let report = landing.load().await.unwrap();
        assert_eq!((report.version, report.rows), (1, 4), "{load:?}");
        has(&landing, &[CALM]);
    }
}

#[tokio::test]
async fn a_row_below_the_watermark_or_in_quarantine_breaks_nothing() {
    let landing = landing(Load::Watermark, &[CALM, ("named", "100 / wind_speed > 1")]);
    landing.put("a.csv", "5,5");
    landing.load().await.unwrap();
    landing.put("b.csv", "1,150 6,6 7,-5");
    let report = landing.load().await.unwrap();
    assert_eq!((report.rows, report.quarantined), (2, 1));
}

#[tokio::test]
async fn a_new_constraint_is_asked_of_the_rows_that_are_there() {
    for parted in [false, true] {
        let mut landing = landing(Load::NewFiles, &[]);
        if parted {
            landing.spec.partition_by = vec!["n".into()];
        }
        landing.put("a.csv", "1,150 2,2");
        landing.load().await.unwrap();
        landing.put("b.csv", "3,120");
        landing.load().await.unwrap();
        declare(&mut landing, &[CALM]);
        refused(
            &landing,
            &["calm", "2 of the rows that are there, the first: row 0 of its data file", "wind_speed 150.0"],
        )
        .await;
        has(&landing, &[]);
        declare(&mut landing, &[("possible", "wind_speed < 200"), ("small", "n < 10")]);
        assert_eq!(landing.load().await.unwrap().version, 2);
        has(&landing, &[("possible", "wind_speed < 200"), ("small", "n < 10")]);
        declare(&mut landing, &[("possible", "wind_speed < 200"), ("small", "n < 3")]);
        refused(&landing, &["small", "1 of the rows that are there", "n 3"]).await;
    }
}

#[tokio::test]
async fn of_a_merge_the_rows_that_stay_are_asked() {
    let mut landing = landing(Load::Merge, &[]);
    landing.put("a.csv", "1,150 2,2");
    landing.load().await.unwrap();
    declare(&mut landing, &[CALM]);
    refused(&landing, &["calm", "1 of the rows that are there"]).await;
    landing.put("b.csv", "1,50");
    let merged = landing.load().await.unwrap();
    assert_eq!((merged.version, merged.rows), (1, 2), "the row that broke it was replaced by the same load");
    has(&landing, &[CALM]);
    landing.put("c.csv", "3,150 4,4 3,30");
    assert_eq!(landing.load().await.unwrap().rows, 4, "of a key the last row counts");
    landing.put("d.csv", "3,3 4,110 5,120 5,130");
    refused(&landing, &["2 of the rows that are loaded, the first: row 1 of", "d.csv with wind_speed 110.0"]).await;
    assert_eq!(rows(&landing).await, ["1|50.0", "2|2.0", "3|30.0", "4|4.0"]);
}

#[tokio::test]
async fn a_late_row_of_a_merge_breaks_nothing() {
    let mut landing = landing(Load::Merge, &[("windy", "wind_speed > 3")]);
    landing.spec.schema[1].type_ = ColumnType::Int64;
    landing.spec.source.sequence_by = Some("wind_speed".into());
    let load = async || landing.site.load(&landing.folder().join("*.csv"), &landing.spec, None).await;
    landing.put("a.csv", "1,5");
    load().await.unwrap();
    landing.put("b.csv", "1,2");
    assert_eq!(load().await.unwrap().rows, 1);
    landing.put("c.csv", "2,2");
    let error = load().await.unwrap_err();
    assert!(error.to_string().contains("windy") && error.to_string().contains("1 of the rows"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_asked_of_a_row_refuses_it() {
    let landing = landing(Load::NewFiles, &[("even", "100 / n > 1")]);
    landing.put("a.csv", "0,1");
    let error = landing.load().await.unwrap_err();
    assert!(
        matches!(&error, IngestError::Constraint(ConstraintError::Unanswered { name, .. }) if name == "even"),
        "{error}"
    );
    assert!(error.to_string().to_lowercase().contains("divide by zero"), "{error}");
}

#[tokio::test]
async fn constraints_of_another_writer_stay_and_bind() {
    let mut landing = landing(Load::NewFiles, &[CALM]);
    landing.put("a.csv", "1,1");
    landing.load().await.unwrap();
    constrain(&landing, "Windy", "wind_speed > 0 AND `n` < 100");
    landing.put("b.csv", "2,0");
    refused(&landing, &["constraint \"Windy\" (wind_speed > 0 AND `n` < 100)", "with n 2, wind_speed 0.0"]).await;
    landing.put("b.csv", "2,2");
    landing.load().await.unwrap();
    has(&landing, &[CALM, ("Windy", "wind_speed > 0 AND `n` < 100")]);
    declare(&mut landing, &[]);
    landing.spec.source.load = Load::Full;
    landing.put("c.csv", "3,0");
    refused(&landing, &["Windy"]).await;
    landing.put("c.csv", "3,150");
    assert_eq!(landing.load().await.unwrap().rows, 3, "rows are replaced, and what was declared is not any more");
    has(&landing, &[("Windy", "wind_speed > 0 AND `n` < 100")]);
}

#[tokio::test]
async fn a_table_with_a_quarantine_goes_on_after_another_writer() {
    let landing = landing(Load::NewFiles, &[]);
    landing.put("a.csv", "1,1 2,999 3,998");
    landing.load().await.unwrap();
    let order = |row: i64| ReviewOrder {
        action: ReviewAction::Discard,
        by: "ada".into(),
        why: "so".into(),
        at: Timestamp::from_micros(0),
        choice: Choice { rows: [row].into(), ..Choice::default() },
        version: None,
    };
    let lake = &landing.site.lake;
    lake.review("demo", "weather", order(1)).await.unwrap();
    // As though it had been killed before the quarantine's commit.
    let quarantine = lake.location("demo", "weather__quarantine").unwrap();
    fs::remove_file(quarantine.join("_delta_log/00000000000000000001.json")).unwrap();
    constrain(&landing, "windy", "wind_speed > 0");
    let refused_ = lake.review("demo", "weather", order(2)).await.unwrap_err();
    assert!(matches!(refused_, ReviewError::NotOurs { .. }), "{refused_}");
    landing.put("b.csv", "4,0");
    refused(&landing, &["windy"]).await;
    landing.put("b.csv", "4,4 5,997");
    landing.load().await.unwrap();
    landing.check_rows(&[1.0, 4.0], &[3.0, 5.0]).await;
    lake.review("demo", "weather", order(2)).await.unwrap();
    landing.check_rows(&[1.0, 4.0], &[5.0]).await;
}

#[tokio::test]
async fn a_name_that_another_writer_took_is_told() {
    let mut landing = landing(Load::NewFiles, &[]);
    landing.put("a.csv", "1,1");
    landing.load().await.unwrap();
    constrain(&landing, "calm", "wind_speed < 5");
    declare(&mut landing, &[CALM]);
    let error = landing.load().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("\"calm\"") && error.to_string().contains("wind_speed < 5"), "{error}");
    assert!(error.fix().unwrap().contains("another name"), "{error}");
    has(&landing, &[("calm", "wind_speed < 5")]);
    declare(&mut landing, &[("calm", "wind_speed < 5")]);
    landing.load().await.unwrap();
}

/// Refused before anything is read, and by name; what is there can be read.
async fn not_written(landing: &Landing, words: &str) {
    let files = data_files(landing);
    landing.put("b.csv", "2,2");
    let error = landing.load().await.unwrap_err();
    assert!(matches!(&error, IngestError::Table(TableError::NotWritable { .. })), "{words}: {error}");
    assert!(error.to_string().contains(words), "{words} is not in {error}");
    assert_eq!((error.kind(), data_files(landing)), (ErrorKind::Refused, files));
    let joined = landing.site.lake.optimize("demo", "weather", by()).await.unwrap_err();
    assert_eq!(joined.kind(), ErrorKind::Refused, "{joined}");
    assert_eq!(rows(landing).await, ["1|1.0"]);
}

async fn plain() -> Landing {
    let landing = landing(Load::NewFiles, &[]);
    landing.put("a.csv", "1,1");
    landing.load().await.unwrap();
    landing
}

#[tokio::test]
async fn a_constraint_that_is_not_understood_keeps_us_from_writing() {
    for (expression, why) in [
        ("gusty(wind_speed)", "gusty"),
        ("wind_speed <", "cannot be read"),
        ("gust < 3", "column \"gust\" is not there"),
        ("n = \"n\"", "a text to another"),
        ("random() < wind_speed", "each time it is asked"),
        ("wind_speed", "not true or false"),
    ] {
        let landing = plain().await;
        constrain(&landing, "odd", expression);
        not_written(&landing, "constraint \"odd\"").await;
        not_written(&landing, why).await;
    }
}

#[tokio::test]
async fn what_we_do_not_do_for_a_table_keeps_us_from_writing() {
    let old = |writer: i32| json!({ "minReaderVersion": 1, "minWriterVersion": writer });
    let new = |feature: &str| json!({ "minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": ["appendOnly", "invariants", feature] });
    let set = |landing: &Landing, key: &str, value: &str, protocol: Value| {
        foreign(landing, |metadata| metadata["configuration"][key] = value.into(), Some(protocol));
    };
    let of_column = |landing: &Landing, key: &str, value: Value, protocol: Value| {
        let change = |metadata: &mut Value| {
            let mut schema: Value = serde_json::from_str(metadata["schemaString"].as_str().unwrap()).unwrap();
            schema["fields"][1]["metadata"][key] = value.clone();
            metadata["schemaString"] = schema.to_string().into();
        };
        foreign(landing, change, Some(protocol));
    };
    for protocol in [old(4), new("changeDataFeed")] {
        let landing = plain().await;
        set(&landing, "delta.enableChangeDataFeed", "true", protocol);
        not_written(&landing, "delta.enableChangeDataFeed").await;
    }
    for (key, value, protocol) in [
        ("delta.invariants", json!(r#"{"expression":{"expression":"wind_speed > 3"}}"#), old(2)),
        ("delta.generationExpression", json!("n * 2"), old(4)),
        ("delta.generationExpression", json!("n * 2"), new("generatedColumns")),
    ] {
        let landing = plain().await;
        of_column(&landing, key, value, protocol);
        not_written(&landing, key).await;
        not_written(&landing, "\"wind_speed\"").await;
    }
    for feature in ["rowTracking", "domainMetadata", "inCommitTimestamp", "identityColumns", "madeUp"] {
        let landing = plain().await;
        foreign(&landing, |_| (), Some(new(feature)));
        not_written(&landing, &feature[1..]).await;
    }
    let landing = plain().await;
    foreign(&landing, |_| (), Some(old(6)));
    not_written(&landing, "dentity").await;
}

#[tokio::test]
async fn a_feature_that_is_not_used_keeps_nobody_from_writing() {
    for protocol in [
        json!({ "minReaderVersion": 1, "minWriterVersion": 4 }),
        json!({ "minReaderVersion": 2, "minWriterVersion": 5 }),
        json!({ "minReaderVersion": 1, "minWriterVersion": 7,
            "writerFeatures": ["appendOnly", "invariants", "changeDataFeed", "generatedColumns"] }),
    ] {
        let mut landing = plain().await;
        foreign(&landing, |_| (), Some(protocol.clone()));
        declare(&mut landing, &[CALM]);
        landing.put("b.csv", "2,2");
        assert_eq!(landing.load().await.unwrap().rows, 2, "{protocol}");
        has(&landing, &[CALM]);
        let now = newest(&landing, "protocol");
        let features = now["writerFeatures"].as_array();
        assert_eq!(now["minWriterVersion"], protocol["minWriterVersion"]);
        assert!(features.is_none_or(|features| features.contains(&json!("checkConstraints"))), "{now}");
        landing.put("c.csv", "3,150");
        refused(&landing, &["calm"]).await;
    }
}

/// As another writer says it of `wind_speed`.
fn not_null(metadata: &mut Value) {
    let mut schema: Value = serde_json::from_str(metadata["schemaString"].as_str().unwrap()).unwrap();
    schema["fields"][1]["nullable"] = false.into();
    schema["fields"][1]["metadata"]["comment"] = "metres a second".into();
    metadata["schemaString"] = schema.to_string().into();
}

#[tokio::test]
async fn columns_that_another_writer_made_not_nullable_stay_so() {
    let landing = plain().await;
    foreign(&landing, not_null, None);
    landing.put("b.csv", "2,");
    refused(&landing, &["wind_speed is not nullable", "with wind_speed null"]).await;
    landing.put("b.csv", "2,2 3,");
    refused(&landing, &["row 1 of"]).await;
    landing.put("b.csv", "2,2");
    landing.load().await.unwrap();
    let schema = newest(&landing, "metaData")["schemaString"].as_str().unwrap().to_owned();
    assert!(schema.contains("\"nullable\":false") && schema.contains("metres a second"), "{schema}");
    assert_eq!(rows(&landing).await, ["1|1.0", "2|2.0"]);
}

#[tokio::test]
async fn a_row_without_a_value_is_not_released_into_such_a_column() {
    let mut landing = landing(Load::NewFiles, &[]);
    landing.spec.schema[1].nullable = false;
    landing.put("a.csv", "1,1 2, 3,999");
    landing.load().await.unwrap();
    foreign(&landing, not_null, None);
    landing.put("b.csv", "4,4");
    landing.load().await.unwrap();
    let release = |row: i64| {
        let choice = Choice { rows: [row].into(), ..Choice::default() };
        let (by, why, at) = ("ada".into(), "so".into(), Timestamp::from_micros(0));
        ReviewOrder { action: ReviewAction::Release, by, why, at, choice, version: None }
    };
    let error = landing.site.lake.review("demo", "weather", release(1)).await.unwrap_err();
    assert!(matches!(&error, ReviewError::Constraint(_)), "{error}");
    assert!(error.to_string().contains("wind_speed is not nullable"), "{error}");
    landing.site.lake.review("demo", "weather", release(2)).await.unwrap();
    landing.check_rows(&[1.0, 3.0, 4.0], &[2.0]).await;
}

#[tokio::test]
async fn a_quarantine_takes_any_row_or_none() {
    let landing = landing(Load::NewFiles, &[]);
    landing.put("a.csv", "1,1 2,999");
    landing.load().await.unwrap();
    let beside = landing.site.lake.location("demo", "weather__quarantine").unwrap();
    let log = beside.join("_delta_log/00000000000000000000.json");
    let text = fs::read_to_string(&log).unwrap();
    let text =
        text.replace("\"configuration\":{}", "\"configuration\":{\"delta.constraints.calm\":\"wind_speed < 9999\"}");
    assert!(text.contains("calm"));
    fs::write(&log, text).unwrap();
    landing.put("b.csv", "3,3 4,998");
    let error = landing.load().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.contains("\"calm\" is a constraint of it"), "{error}: {why}");
}

#[tokio::test]
async fn a_row_that_breaks_a_constraint_is_not_released() {
    let landing = landing(Load::NewFiles, &[("possible", "wind_speed < 500")]);
    landing.put("a.csv", "1,1 2,999 3,300");
    landing.load().await.unwrap();
    let order = |rows: &[i64]| ReviewOrder {
        action: ReviewAction::Release,
        by: "ada".into(),
        why: "so".into(),
        at: Timestamp::from_micros(0),
        choice: Choice { rows: rows.iter().copied().collect(), ..Choice::default() },
        version: None,
    };
    let lake = &landing.site.lake;
    for rows in [&[1][..], &[1, 2], &[]] {
        let error = lake.review("demo", "weather", order(rows)).await.unwrap_err();
        assert!(matches!(&error, ReviewError::Constraint(ConstraintError::Broken { .. })), "{error}");
        let told = error.to_string();
        assert!(told.contains("\"possible\"") && told.contains("1 of the rows to be released: row 1 of"), "{told}");
        assert!(told.contains("a.csv with wind_speed 999.0") && error.fix().unwrap().contains("discard"), "{told}");
    }
    landing.check_rows(&[1.0], &[2.0, 3.0]).await;
    let (report, _) = lake.review("demo", "weather", order(&[2])).await.unwrap();
    assert_eq!((report.version, report.rows), (1, 2));
    landing.check_rows(&[1.0, 3.0], &[2.0]).await;
    has(&landing, &[("possible", "wind_speed < 500")]);
    landing.put("b.csv", "4,4");
    landing.load().await.unwrap();
    landing.check_rows(&[1.0, 3.0, 4.0], &[2.0]).await;
}

#[tokio::test]
async fn rows_of_an_earlier_version_come_back_if_they_meet_what_is_demanded_today() {
    let mut landing = landing(Load::Full, &[]);
    landing.put("a.csv", "1,150 2,2");
    landing.load().await.unwrap();
    declare(&mut landing, &[CALM]);
    landing.put("a.csv", "1,50");
    landing.load().await.unwrap();
    landing.put("a.csv", "1,51");
    landing.load().await.unwrap();
    let lake = &landing.site.lake;
    let error = lake.restore(("demo", "weather"), "one", 0, by()).await.unwrap_err();
    assert!(matches!(&error, UpkeepError::Constraint(ConstraintError::Broken { .. })), "{error}");
    let told = error.to_string();
    assert!(told.contains("\"calm\"") && told.contains("1 of the rows that would come back: row 0 of"), "{told}");
    assert!(error.fix().unwrap().contains("FOR VERSION AS OF"), "{told}");
    assert_eq!(rows(&landing).await, ["1|51.0"]);
    lake.restore(("demo", "weather"), "one", 1, by()).await.unwrap();
    assert_eq!(rows(&landing).await, ["1|50.0"]);
    has(&landing, &[CALM]);
    let old = TableRef { version: Some(0), ..latest("weather") };
    assert_eq!(lake.sql(&[old], "SELECT n FROM t").await.unwrap().rows(), 2);
}

#[tokio::test]
async fn joining_files_keeps_constraints() {
    let landing = landing(Load::NewFiles, &[CALM]);
    for file in 0..3 {
        landing.put(&format!("{file}.csv"), &format!("{file},1"));
        landing.load().await.unwrap();
    }
    landing.site.lake.optimize("demo", "weather", by()).await.unwrap();
    has(&landing, &[CALM]);
    landing.put("9.csv", "9,150");
    refused(&landing, &["calm"]).await;
}

#[test]
fn what_is_no_condition_on_a_row_is_told_before_it_is_stored() {
    let columns = [("n", ColumnType::Int64), ("Speed", ColumnType::Float64), ("city", ColumnType::String)];
    let told = |expression: &str| {
        let constraints = vec![Constraint { name: "odd".into(), expression: expression.into() }];
        let errors = constraint_errors(&bedplate_kinds::DatasetSpec { constraints, ..spec(&columns) });
        errors.into_iter().map(|error| error.to_string()).collect::<Vec<_>>()
    };
    for fine in ["n > 0", "speed < 3 OR Speed IS NULL", "\"Speed\" < 3", "city IN ('Rome', 'Oslo')", "length(city) < 9"]
    {
        assert_eq!(told(fine), Vec::<String>::new(), "{fine}");
    }
    for (expression, why) in [
        ("gust > 0", "column \"gust\" is not there; there are n, Speed, city"),
        ("n + 1", "Int64 and not true or false"),
        ("n >", "cannot be read"),
        ("n IN (SELECT 1)", "no subqueries"),
        ("max(n) > 3", "no aggregates"),
        ("random() > 0.5", "differs from one call to the next"),
        ("now() > to_timestamp(n)", "differs from one call to the next"),
        ("n > $1", "one row"),
        ("gusty(n)", "gusty"),
    ] {
        let errors = told(expression);
        assert_eq!(errors.len(), 1, "{expression}");
        let error = &errors[0];
        assert!(error.starts_with("spec.constraints[0].expression: constraint \"odd\""), "{error}");
        assert!(error.contains(why), "{why} is not in {error}");
    }
}

/// What delta-rs sees of a table's constraints, and whether it adds a row of this speed to it.
const DELTA_RS: &str = r#"
import json, os, sys
import deltalake, pyarrow as pa
path, column, speeds, more = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4])
table = deltalake.DeltaTable(path)
if more:
    table.alter.add_constraint(more)
told = []
for speed in speeds:
    rows = pa.table({"n": pa.array([int(100 + speed)]), column: pa.array([speed], pa.float64())})
    try:
        deltalake.write_deltalake(path, rows, mode="append")
        told.append("added")
    except Exception as error:
        told.append(str(error))
table = deltalake.DeltaTable(path)
named = {k: v for k, v in table.metadata().configuration.items() if k.startswith("delta.constraints.")}
print(json.dumps({"constraints": named, "told": told, "rows": table.to_pyarrow_table().num_rows}), flush=True)
os._exit(0)
"#;

fn delta_rs(python: &Path, landing: &Landing, column: &str, speeds: &[f64], more: Value) -> Value {
    let mut command = Command::new(python);
    command.args(["-c", DELTA_RS]).arg(landing.site.table()).arg(column);
    let read = command.arg(json!(speeds).to_string()).arg(more.to_string()).output().unwrap();
    let text = String::from_utf8_lossy(&read.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&read.stderr)))
}

#[tokio::test]
async fn another_writer_keeps_our_constraints_and_we_keep_its() {
    let Some(python) = bedplate_testkit::python() else {
        return bedplate_testkit::not_run("no Python environment with deltalake");
    };
    let mut landing = landing(Load::NewFiles, &[CALM]);
    landing.put("a.csv", "1,1");
    landing.load().await.unwrap();
    let theirs = delta_rs(&python, &landing, "wind_speed", &[150.0, 50.0], Value::Null);
    assert_eq!(theirs["constraints"], json!({ "delta.constraints.calm": "wind_speed < 100" }));
    let told = theirs["told"][0].as_str().unwrap();
    assert!(told.contains("nvalid data") || told.contains("iolat"), "{told}");
    assert_eq!((&theirs["told"][1], &theirs["rows"]), (&json!("added"), &json!(2)), "{theirs}");

    let theirs = delta_rs(&python, &landing, "wind_speed", &[], json!({ "windy": "wind_speed > 0" }));
    let named = &theirs["constraints"];
    assert_eq!(named["delta.constraints.calm"], "wind_speed < 100");
    let windy = named["delta.constraints.windy"].as_str().unwrap().to_owned();
    landing.put("b.csv", "2,2 3,0");
    refused(
        &landing,
        &["constraint \"windy\"", "1 of the rows that are loaded: row 1 of", "b.csv with wind_speed 0.0"],
    )
    .await;
    landing.put("b.csv", "2,150");
    refused(&landing, &["constraint \"calm\""]).await;
    landing.put("b.csv", "2,2");
    landing.load().await.unwrap();
    assert_eq!(rows(&landing).await, ["1|1.0", "2|2.0", "150|50.0"]);
    has(&landing, &[CALM, ("windy", &*windy)]);
    declare(&mut landing, &[]);
    landing.put("c.csv", "3,150");
    landing.load().await.unwrap();
    let theirs = delta_rs(&python, &landing, "wind_speed", &[160.0, 0.0], Value::Null);
    assert_eq!(theirs["constraints"], json!({ "delta.constraints.windy": windy }));
    assert_eq!((&theirs["told"][0], &theirs["rows"]), (&json!("added"), &json!(5)), "{theirs}");
}

#[tokio::test]
async fn columns_with_capitals_mean_the_same_to_another_writer() {
    let Some(python) = bedplate_testkit::python() else {
        return bedplate_testkit::not_run("no Python environment with deltalake");
    };
    let mut landing = landing(Load::NewFiles, &[("calm", "Wind < 100 AND n > 0")]);
    landing.spec.schema[1].name = "Wind".into();
    fs::create_dir_all(landing.folder()).unwrap();
    let load = async |name: &str, speed: f64| {
        fs::write(landing.folder().join(name), format!("n,Wind\n1,{speed}\n")).unwrap();
        landing.site.load(&landing.folder().join("*.csv"), &landing.spec, None).await
    };
    load("a.csv", 1.0).await.unwrap();
    let theirs = delta_rs(&python, &landing, "Wind", &[150.0, 50.0], json!({ "windy": "Wind > 0" }));
    assert_eq!(theirs["constraints"]["delta.constraints.calm"], "`Wind` < 100 AND n > 0");
    assert!(theirs["told"][0] != "added" && theirs["told"][1] == "added", "{theirs}");
    let error = load("b.csv", 0.0).await.unwrap_err();
    assert!(error.to_string().contains("constraint \"windy\" (\"Wind\" > 0"), "{error}");
    load("b.csv", 2.0).await.unwrap();
}
