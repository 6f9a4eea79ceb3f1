//! Loads that add to a table: new files, rows above a watermark; and a process that is killed anywhere between.

use std::fs;
use std::path::PathBuf;

use bedplate_kinds::{ColumnType, DatasetSpec, Load, SchemaEvolution, Severity};
use bedplate_query::{Change, IngestError, IngestReport, Lake, TableRef};
use bedplate_types::{ErrorKind, Explained};

use crate::table::{Site, calm, spec};

const COLUMNS: [(&str, ColumnType); 2] = [("n", ColumnType::Int64), ("wind_speed", ColumnType::Float64)];

pub struct Landing {
    pub site: Site,
    pub spec: DatasetSpec,
}

impl Landing {
    pub fn new(load: Load) -> Self {
        let mut spec = spec(&COLUMNS);
        spec.source.load = load;
        spec.source.watermark_column = (load == Load::Watermark).then(|| "n".into());
        Self { site: Site::new(), spec }
    }

    /// Each number is a partition of its own.
    pub fn parted(load: Load) -> Self {
        let mut landing = Self::new(load);
        landing.spec.partition_by = vec!["n".into()];
        landing
    }

    pub fn folder(&self) -> PathBuf {
        self.site.dir.path().join("landing")
    }

    /// A file with these rows, `n,wind_speed` each.
    pub fn put(&self, name: &str, rows: &str) {
        fs::create_dir_all(self.folder()).unwrap();
        let text = format!("n,wind_speed\n{}\n", rows.replace(' ', "\n"));
        fs::write(self.folder().join(name), text).unwrap();
    }

    pub async fn load(&self) -> Result<IngestReport, IngestError> {
        self.site.load(&self.folder().join("*.csv"), &self.spec, Some(&calm(Severity::Quarantine))).await
    }

    /// Loads, and finds these numbers in the table and in quarantine.
    pub async fn check(&self, version: i64, rows: &[f64], bad: &[f64]) -> IngestReport {
        let report = self.load().await.unwrap();
        assert_eq!(report.version, version);
        self.check_rows(rows, bad).await;
        assert_eq!((report.rows, report.quarantined), (rows.len() as u64, bad.len() as u64));
        report
    }

    pub async fn check_rows(&self, rows: &[f64], bad: &[f64]) {
        assert_eq!(self.site.rows("weather", "n").await.f64("n").unwrap(), rows);
        let there = self.site.lake.location("demo", "weather__quarantine").unwrap().exists();
        let found = if there {
            self.site.rows("weather__quarantine", "coalesce(n, 0) AS n").await.f64("n").unwrap()
        } else {
            vec![]
        };
        assert_eq!(found, bad);
    }

    /// As though the process had been killed between the quarantine's commit and the table's.
    pub fn forget(&self, version: u64) {
        fs::remove_file(self.site.table().join(format!("_delta_log/{version:020}.json"))).unwrap();
    }
}

fn names(report: &IngestReport) -> Vec<&str> {
    report.files.iter().map(|file| file.path.rsplit('/').next().unwrap()).collect()
}

#[tokio::test]
async fn each_file_is_loaded_once() {
    let landing = Landing::new(Load::NewFiles);
    landing.put("a.csv", "1,1 2,999");
    let first = landing.check(0, &[1.0], &[2.0]).await;
    assert_eq!((names(&first), first.appended), (vec!["a.csv"], false));
    landing.put("c.csv", "3,3");
    landing.put("b.csv", "4,4 5,999");
    let second = landing.check(1, &[1.0, 3.0, 4.0], &[2.0, 5.0]).await;
    assert_eq!((names(&second), second.appended, second.rows_read), (vec!["b.csv", "c.csv"], true, 5));
    let third = landing.check(2, &[1.0, 3.0, 4.0], &[2.0, 5.0]).await;
    assert_eq!((third.files.len(), third.written, &third.outcomes), (0, 0, &second.outcomes));
    landing.put("d.csv", "6,6");
    landing.check(3, &[1.0, 3.0, 4.0, 6.0], &[2.0, 5.0]).await;
    let old = TableRef { version: Some(1), ..crate::table::latest("weather") };
    assert_eq!(landing.site.lake.sql(&[old], "SELECT n FROM t").await.unwrap().rows(), 3);
    let told = landing.site.lake.changes_since("demo", "weather", Some(1)).unwrap();
    assert_eq!(told.iter().map(Change::version).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(landing.site.lake.changes_since("demo", "weather", None).unwrap().len(), 4);
}

#[tokio::test]
async fn files_may_be_taken_away_or_moved_but_not_changed() {
    let landing = Landing::new(Load::NewFiles);
    landing.put("a.csv", "1,1");
    landing.put("b.csv", "2,2");
    landing.check(0, &[1.0, 2.0], &[]).await;
    fs::rename(landing.folder().join("a.csv"), landing.folder().join("z.csv")).unwrap();
    landing.check(1, &[1.0, 2.0], &[]).await;
    landing.put("c.csv", "2,2");
    landing.check(2, &[1.0, 2.0, 2.0], &[]).await;
    landing.put("b.csv", "2,2 3,3");
    let changed = landing.load().await.unwrap_err();
    assert_eq!(changed.kind(), ErrorKind::Conflict);
    assert!(changed.to_string().contains("/b.csv was changed after it was loaded"), "{changed}");
    assert!(changed.fix().unwrap().contains("load: full"));
    fs::read_dir(landing.folder()).unwrap().for_each(|file| fs::remove_file(file.unwrap().path()).unwrap());
    landing.check(3, &[1.0, 2.0, 2.0], &[]).await;
    fs::remove_dir(landing.folder()).unwrap();
    assert_eq!(landing.load().await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn killed_anywhere_no_file_is_lost_or_there_twice() {
    for landing in [Landing::new(Load::NewFiles), Landing::parted(Load::NewFiles)] {
        killed_anywhere(landing).await;
    }
}

async fn killed_anywhere(landing: Landing) {
    landing.put("a.csv", "1,1 2,999");
    landing.check(0, &[1.0], &[2.0]).await;
    landing.put("b.csv", "3,3 4,999");
    // Between the two commits: the quarantine is ahead, the rows' file is there without a version.
    landing.check(1, &[1.0, 3.0], &[2.0, 4.0]).await;
    landing.forget(1);
    landing.check_rows(&[1.0], &[2.0, 4.0]).await;
    landing.check(1, &[1.0, 3.0], &[2.0, 4.0]).await;
    // Twice in a row, and another file came meanwhile.
    landing.forget(1);
    landing.put("c.csv", "5,5 6,999");
    landing.check(1, &[1.0, 3.0, 5.0], &[2.0, 4.0, 6.0]).await;
    landing.forget(1);
    fs::remove_file(landing.folder().join("c.csv")).unwrap();
    landing.check(1, &[1.0, 3.0], &[2.0, 4.0]).await;
    // Before any commit: files that no version has.
    landing.put("d.csv", "7,7");
    for hidden in
        [".unfinished-part-00000000000000000002-0123456789ab.parquet", "part-00000000000000000002-0123456789ab.parquet"]
    {
        fs::write(landing.site.table().join(hidden), "PAR1").unwrap();
    }
    landing.check(2, &[1.0, 3.0, 7.0], &[2.0, 4.0]).await;
    // After both: another process finds what was done.
    let again = Lake::open(landing.site.dir.path().join("lake")).unwrap();
    let found = again.committed("demo", "weather").await.unwrap().unwrap();
    assert_eq!((found.version, names(&found.report)), (2, vec!["d.csv"]));
}

#[tokio::test]
async fn killed_in_a_full_load_what_was_in_quarantine_comes_back() {
    for landing in [Landing::new(Load::NewFiles), Landing::parted(Load::NewFiles)] {
        killed_in_a_full_load(landing).await;
    }
}

async fn killed_in_a_full_load(mut landing: Landing) {
    landing.put("a.csv", "1,1 2,999");
    landing.check(0, &[1.0], &[2.0]).await;
    landing.put("b.csv", "3,999");
    landing.spec.source.load = Load::Full;
    fs::remove_file(landing.folder().join("a.csv")).unwrap();
    landing.check(1, &[], &[3.0]).await;
    landing.forget(1);
    landing.spec.source.load = Load::NewFiles;
    landing.check(1, &[1.0], &[2.0, 3.0]).await;
}

#[tokio::test]
async fn a_load_that_fails_adds_nothing() {
    let landing = Landing::new(Load::NewFiles);
    landing.put("a.csv", "1,1");
    landing.check(0, &[1.0], &[]).await;
    landing.put("b.csv", "2,2");
    fs::write(landing.folder().join("c.csv"), "n\n3\n").unwrap();
    let error = landing.load().await.unwrap_err();
    assert!(error.to_string().contains("c.csv"), "{error}");
    landing.check_rows(&[1.0], &[]).await;
    let lost = fs::read_dir(landing.site.table()).unwrap().count();
    assert_eq!(lost, 2, "one data file and the log");
    landing.put("c.csv", "3,3");
    landing.check(1, &[1.0, 2.0, 3.0], &[]).await;
}

#[tokio::test]
async fn what_another_object_or_an_older_bedplate_loaded_is_replaced() {
    let landing = Landing::new(Load::NewFiles);
    landing.put("a.csv", "1,1");
    landing.check(0, &[1.0], &[]).await;
    let commit = landing.site.table().join("_delta_log/00000000000000000000.json");
    let text = fs::read_to_string(&commit).unwrap();
    fs::write(&commit, text.replace(r#"\"object\":\"one\""#, r#"\"object\":\"two\""#)).unwrap();
    landing.put("b.csv", "2,2");
    landing.check(1, &[1.0, 2.0], &[]).await;
    let changes = landing.site.lake.changes_since("demo", "weather", Some(0)).unwrap();
    assert!(matches!(&changes[..], [Change::Ingest(report)] if !report.appended), "{changes:?}");
    fs::write(&commit, text.replace(r#"\"files\":"#, r#"\"somethingElse\":"#)).unwrap();
    landing.forget(1);
    let report = landing.check(1, &[1.0, 2.0], &[]).await;
    assert!(!report.appended);
}

#[tokio::test]
async fn many_loads_in_a_row_pass_the_log_s_checkpoint() {
    tokio::join!(many_loads(Landing::new(Load::NewFiles)), many_loads(Landing::parted(Load::NewFiles)));
}

async fn many_loads(landing: Landing) {
    for n in 0..105_i32 {
        landing.put(&format!("{n:03}.csv"), &format!("{n},1"));
        assert_eq!(landing.load().await.unwrap().version, i64::from(n));
    }
    let all: Vec<f64> = (0..105).map(f64::from).collect();
    landing.check(105, &all, &[]).await;
}

#[tokio::test]
async fn a_column_is_added_only_where_that_is_declared() {
    let mut landing = Landing::new(Load::NewFiles);
    landing.put("a.csv", "1,1");
    landing.check(0, &[1.0], &[]).await;
    let more = spec(&[COLUMNS[0], COLUMNS[1], ("s", ColumnType::String)]);
    landing.spec.schema = more.schema;
    fs::write(landing.folder().join("b.csv"), "s,n,wind_speed\nx,2,2\n").unwrap();
    let refused = landing.load().await.unwrap_err();
    let told = format!("{refused}: {}", std::error::Error::source(&refused).unwrap());
    assert!(matches!(refused, IngestError::Columns { .. }) && told.contains("s (string) is new"), "{told}");
    assert!(refused.fix().unwrap().contains("schemaEvolution: addColumns"));
    landing.spec.source.schema_evolution = SchemaEvolution::AddColumns;
    landing.check(1, &[1.0, 2.0], &[]).await;
    landing.put("c.csv", "3,3");
    landing.check(2, &[1.0, 2.0, 3.0], &[]).await;
    let s = landing.site.rows("weather", "n, s").await.strings("s").unwrap();
    assert_eq!(s, [None, Some("x".into()), None]);
    landing.spec.source.load = Load::Full;
    landing.check(3, &[1.0, 2.0, 3.0], &[]).await;
    landing.spec.source.load = Load::NewFiles;
    landing.spec.schema.pop();
    assert!(matches!(landing.load().await.unwrap_err(), IngestError::Columns { .. }));
}

#[tokio::test]
async fn rows_above_the_watermark_are_added() {
    let landing = Landing::new(Load::Watermark);
    landing.put("a.csv", "1,1 3,3 9,999 ,1");
    let first = landing.check(0, &[1.0, 3.0], &[0.0, 9.0]).await;
    assert_eq!(first.watermark.as_ref().unwrap().value, 3, "a row in quarantine raises nothing");
    landing.put("a.csv", "2,2 3,5 4,4 8,8 9,999");
    landing.put("b.csv", "7,7 1,1");
    let second = landing.check(1, &[1.0, 3.0, 4.0, 7.0, 8.0], &[9.0]).await;
    assert_eq!((second.watermark.as_ref().unwrap().value, second.appended, second.rows_read), (8, true, 7));
    landing.forget(1);
    landing.check(1, &[1.0, 3.0, 4.0, 7.0, 8.0], &[9.0]).await;
    let third = landing.check(2, &[1.0, 3.0, 4.0, 7.0, 8.0], &[9.0]).await;
    assert_eq!((third.written, third.watermark.unwrap().value), (0, 8));
}

#[tokio::test]
async fn another_watermark_begins_anew() {
    let mut landing = Landing::new(Load::Full);
    landing.put("a.csv", "1,1 3,3");
    landing.check(0, &[1.0, 3.0], &[]).await;
    landing.spec.source.load = Load::Watermark;
    landing.spec.source.watermark_column = Some("n".into());
    landing.put("a.csv", "2,2");
    let report = landing.check(1, &[2.0], &[]).await;
    assert!(!report.appended);
}

#[tokio::test]
async fn two_loads_at_once_add_a_file_once() {
    let landing = Landing::new(Load::NewFiles);
    landing.put("a.csv", "1,1");
    landing.check(0, &[1.0], &[]).await;
    landing.put("b.csv", "2,2");
    let (first, second) = tokio::join!(landing.load(), landing.load());
    assert!(first.is_ok() || second.is_ok());
    for failed in [first, second].into_iter().filter_map(Result::err) {
        assert!(matches!(failed, IngestError::Overtaken { .. }), "{failed}");
    }
    landing.check_rows(&[1.0, 2.0], &[]).await;
}

/// Clocks showed 02:30 twice that night, and a sensor wrote a word.
#[tokio::test]
async fn the_example_is_loaded_with_its_two_bad_rows() {
    let folder = bedplate_testkit::in_crate("../../examples/landing");
    let text = fs::read_to_string(folder.join("10-datasets.yaml")).unwrap();
    let objects: Vec<serde_json::Value> = serde_saphyr::from_multiple(&text).unwrap();
    let spec: DatasetSpec = serde_json::from_value(objects[1]["spec"].clone()).unwrap();
    let site = Site::new();
    let landing = site.dir.path().join("landing");
    fs::create_dir(&landing).unwrap();
    for file in fs::read_dir(folder.join("landing")).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), landing.join(file.file_name())).unwrap();
    }
    let report = site.load(&landing.join("*.csv"), &spec, None).await.unwrap();
    assert_eq!((report.files.len(), report.rows, report.quarantined), (2, 5, 2));
    assert_eq!(report.data_files, 2, "one for each sensor");
    let reasons = site.rows("weather__quarantine", "_row, _reasons").await.strings("_reasons").unwrap();
    let reasons: Vec<String> = reasons.into_iter().flatten().collect();
    assert_eq!(
        reasons[0],
        "can be read as declared: line 3: at \"2026-10-25 02:30:00\" is there twice or never in Europe/Berlin"
    );
    assert_eq!(reasons[1], "can be read as declared: line 4: value \"hot\" is not float64");
}
