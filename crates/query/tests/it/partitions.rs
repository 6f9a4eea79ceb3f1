//! Tables whose rows are parted into folders by their values.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bedplate_kinds::{ColumnType, DatasetSpec, Load};
use bedplate_query::{
    By, Choice, IngestError, IngestReport, Limits, QueryError, Readable, Reader, Request, ReviewAction, ReviewOrder,
    ShownColumn, TableError, TableRef, UpkeepError, Vacuum, Vacuumed,
};
use bedplate_types::{ErrorKind, Explained, Span, Timestamp};
use futures::StreamExt;
use serde_json::{Value, json};

use crate::table::{Site, calm, latest, spec};

const COLUMNS: [(&str, ColumnType); 4] = [
    ("day", ColumnType::Timestamp),
    ("id", ColumnType::Int64),
    ("city", ColumnType::String),
    ("wind_speed", ColumnType::Float64),
];
/// What a folder's name has to be careful with.
const STRANGE: &str = "São Paulo/50% = a+b #?:'\"";

struct Weather {
    site: Site,
    spec: DatasetSpec,
}

fn row(day: u8, id: i64, city: Option<&str>, speed: f64) -> Value {
    json!({ "day": format!("2026-01-{day:02}T00:00:00Z"), "id": id, "city": city, "wind_speed": speed })
}

impl Weather {
    fn new(load: Load) -> Self {
        let mut spec = spec(&COLUMNS);
        spec.source.load = load;
        spec.partition_by = vec!["day".into(), "city".into()];
        Self { site: Site::new(), spec }
    }

    fn put(&self, name: &str, rows: &[Value]) {
        let folder = self.site.dir.path().join("landing");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), rows.iter().map(|row| format!("{row}\n")).collect::<String>()).unwrap();
    }

    async fn load(&self) -> Result<IngestReport, IngestError> {
        let suite = calm(bedplate_kinds::Severity::Quarantine);
        self.site.load(&self.site.dir.path().join("landing/*.jsonl"), &self.spec, Some(&suite)).await
    }

    async fn brought(&self, name: &str, rows: &[Value]) -> IngestReport {
        self.put(name, rows);
        self.load().await.unwrap()
    }

    async fn told(&self, version: Option<i64>, condition: &str) -> Result<Vec<String>, QueryError> {
        let table = TableRef { version, ..latest("weather") };
        let sql = format!(
            "SELECT concat_ws('|', id, CAST(day AS DATE), coalesce(city, 'null'), wind_speed) AS told FROM t \
             WHERE {condition} ORDER BY id"
        );
        let rows = self.site.lake.sql(&[table], &sql).await?;
        Ok(rows.strings("told").unwrap().into_iter().flatten().collect())
    }

    async fn ids(&self, version: Option<i64>) -> Vec<f64> {
        let table = TableRef { version, ..latest("weather") };
        self.site.lake.sql(&[table], "SELECT id FROM t ORDER BY id").await.unwrap().f64("id").unwrap()
    }

    /// The data files in the table's folder, within it.
    fn files(&self) -> BTreeSet<String> {
        let mut files = BTreeSet::new();
        walk(&self.site.table(), &mut |path| {
            if path.extension().is_some_and(|end| end == "parquet") {
                files.insert(path.strip_prefix(self.site.table()).unwrap().to_str().unwrap().to_owned());
            }
        });
        files
    }

    fn actions(&self, version: u64, sort: &str) -> Vec<Value> {
        let log = self.site.table().join(format!("_delta_log/{version:020}.json"));
        let lines = fs::read_to_string(log).unwrap();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter_map(|line| line.get(sort).cloned()).collect()
    }

    fn forget(&self, version: u64) {
        fs::remove_file(self.site.table().join(format!("_delta_log/{version:020}.json"))).unwrap();
    }

    /// Makes every data file unreadable but those of a city, and gives back what was in them.
    fn spoil_all_but(&self, city: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let others = self.files().into_iter().filter(|name| !name.contains(&format!("city={city}/")));
        let spoilt = others.map(|name| {
            let path = self.site.table().join(name);
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, vec![0; bytes.len()]).unwrap();
            (path, bytes)
        });
        spoilt.collect()
    }
}

fn walk(folder: &Path, see: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, see) } else { see(&path) }
    }
}

fn by() -> By {
    By { name: "ada".into(), at: Timestamp::from_micros(7) }
}

/// Rows of three cities, one of none, and one whose city is empty.
fn rows() -> Vec<Value> {
    vec![
        row(1, 1, Some("Rome"), 1.0),
        row(1, 2, Some(STRANGE), 2.0),
        row(1, 3, None, 3.0),
        row(2, 4, Some("Rome"), 4.0),
        row(2, 5, Some(""), 5.0),
        row(1, 6, Some("Rome"), 6.0),
        row(1, 7, Some("__HIVE_DEFAULT_PARTITION__"), 7.0),
    ]
}

#[tokio::test]
async fn rows_are_where_the_protocol_has_them_and_read_as_those_of_any_table() {
    let weather = Weather::new(Load::Full);
    let report = weather.brought("a.jsonl", &rows()).await;
    assert_eq!((report.rows, report.quarantined, report.data_files), (6, 1, 5));
    let metadata = &weather.actions(0, "metaData")[0];
    assert_eq!(metadata["partitionColumns"], json!(["day", "city"]));
    let (adds, files) = (weather.actions(0, "add"), weather.files());
    let values: BTreeMap<String, Value> =
        adds.iter().map(|add| (add["path"].as_str().unwrap().into(), add["partitionValues"].clone())).collect();
    assert_eq!(values.len(), 5);
    let strange = values.iter().find(|(_, values)| values["city"] == STRANGE).unwrap();
    let folder = "day=2026-01-01T00%3A00%3A00Z/city=S%C3%A3o%20Paulo%2F50%25%20%3D%20a%2Bb%20%23%3F%3A%27%22/part-";
    assert_eq!(strange.1["day"], "2026-01-01T00:00:00Z");
    assert!(strange.0.starts_with(&folder.replace('%', "%25")), "the path of the log is that of a URI: {}", strange.0);
    assert!(files.iter().any(|name| name.starts_with(folder)), "{files:?}");
    let nulls: Vec<_> = values.iter().filter(|(_, values)| values["city"] == Value::Null).collect();
    assert!(nulls.len() == 1 && nulls[0].0.contains("/city=__HIVE_DEFAULT_PARTITION__/"), "{nulls:?}");

    let told = weather.told(None, "true").await.unwrap();
    let strange = format!("2|2026-01-01|{STRANGE}|2.0");
    assert_eq!(
        told,
        [
            "1|2026-01-01|Rome|1.0",
            &strange,
            "3|2026-01-01|null|3.0",
            "4|2026-01-02|Rome|4.0",
            "6|2026-01-01|Rome|6.0",
            "7|2026-01-01|__HIVE_DEFAULT_PARTITION__|7.0",
        ]
    );
    assert_eq!(weather.told(None, "city = '__HIVE_DEFAULT_PARTITION__'").await.unwrap().len(), 1);
    assert_eq!(weather.told(None, "city IS NULL").await.unwrap(), ["3|2026-01-01|null|3.0"]);
    let all = weather.site.rows("weather", "*").await;
    let names: Vec<&String> = all.schema.fields().iter().map(|field| field.name()).collect();
    assert_eq!(names, ["day", "id", "city", "wind_speed"], "columns are in the order they were declared in");
    let count = weather.site.lake.sql(&[latest("weather")], "SELECT count(*) AS n, count(city) AS c FROM t").await;
    let count = count.unwrap();
    assert_eq!((count.f64("n").unwrap(), count.f64("c").unwrap()), (vec![6.0], vec![5.0]));
    let bad = weather.site.lake.quarantined("demo", "weather", 9).await.unwrap();
    assert!(bad.rows[0].row == 4 && bad.rows[0].reasons.contains("city is an empty text"), "{bad:?}");
}

#[tokio::test]
async fn a_statement_opens_the_files_of_the_partitions_it_asks_for() {
    let weather = Weather::new(Load::Full);
    weather.brought("a.jsonl", &rows()).await;
    let spoilt = weather.spoil_all_but("Rome");
    assert_eq!(spoilt.len(), 3);
    assert!(weather.told(None, "true").await.is_err(), "the other files cannot be read any more");
    for condition in ["city = 'Rome'", "city LIKE 'Ro%' AND wind_speed > 0", "city IN ('Rome', 'Oslo') AND id < 9"] {
        assert_eq!(weather.told(None, condition).await.unwrap().len(), 3, "{condition}");
    }
    let both = "city = 'Rome' AND day >= TIMESTAMP '2026-01-02T00:00:00Z'";
    assert_eq!(weather.told(None, both).await.unwrap(), ["4|2026-01-02|Rome|4.0"]);
    assert!(weather.told(None, "city = 'Oslo'").await.unwrap().is_empty());
    assert!(weather.told(None, "city = 'Rome' OR id = 2").await.is_err(), "it asks of a row of another partition");

    let lake = std::sync::Arc::new(bedplate_query::Lake::open(weather.site.dir.path().join("lake")).unwrap());
    let reader = Reader::open(lake, Limits::default(), [7; 32]).unwrap();
    let shown = COLUMNS.iter().map(|(name, _)| ShownColumn { name: (*name).to_owned(), mask: None });
    let table = Readable {
        table: "weather".into(),
        dataset: "weather".into(),
        version: 0,
        columns: shown.collect(),
        filters: Vec::new(),
    };
    let sql = "SELECT city, count(*) AS n FROM weather WHERE city = 'Rome' GROUP BY city";
    let request = Request { namespace: "demo".into(), sql: sql.into(), tables: vec![table], limit: None, engine: None };
    let mut answer = reader.run(request, drop).await.unwrap();
    assert_eq!(answer.next().await.unwrap().unwrap().num_rows(), 1, "people's statements are pruned as well");
}

#[tokio::test]
async fn loads_add_merge_and_replace() {
    let weather = Weather::new(Load::NewFiles);
    weather.brought("a.jsonl", &[row(1, 1, Some("Rome"), 1.0), row(1, 2, Some("Oslo"), 2.0)]).await;
    let second = weather.brought("b.jsonl", &[row(1, 3, Some("Rome"), 3.0), row(2, 4, None, 4.0)]).await;
    assert_eq!((second.version, second.rows, second.data_files), (1, 4, 4));
    assert_eq!((weather.ids(None).await, weather.ids(Some(0)).await), (vec![1.0, 2.0, 3.0, 4.0], vec![1.0, 2.0]));
    assert!(weather.actions(1, "metaData").is_empty(), "nothing of the table's metadata changed");

    let mut merging = weather;
    (merging.spec.source.load, merging.spec.source.key) = (Load::Merge, vec!["id".into()]);
    let third = merging.brought("c.jsonl", &[row(2, 1, Some("Oslo"), 9.0), row(2, 4, None, 8.0)]).await;
    assert_eq!((third.rows, third.data_files), (4, 4), "a row moves to the partition of its new values");
    let told = ["1|2026-01-02|Oslo|9.0", "2|2026-01-01|Oslo|2.0", "3|2026-01-01|Rome|3.0", "4|2026-01-02|null|8.0"];
    assert_eq!(merging.told(None, "true").await.unwrap(), told);
    let removed = merging.actions(2, "remove");
    assert!(removed.iter().all(|remove| remove["partitionValues"]["day"].is_string()), "{removed:?}");

    let mut other = merging;
    other.spec.partition_by = vec!["city".into()];
    let refused = other.load().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(refused.to_string().contains("is partitioned by day, city and not by city"), "{refused}");
    assert!(refused.fix().unwrap().contains("load: full"), "{refused}");
    other.spec.source.load = Load::Full;
    other.spec.source.key = Vec::new();
    let whole = other.load().await.unwrap();
    assert_eq!((whole.version, whole.rows, whole.data_files), (3, 6, 3));
    assert_eq!(other.actions(3, "metaData")[0]["partitionColumns"], json!(["city"]));
    assert_eq!(other.told(Some(2), "true").await.unwrap(), told, "earlier versions are read as they were");
    let back = other.site.lake.restore(("demo", "weather"), "one", 2, by()).await.unwrap_err();
    assert!(matches!(back, UpkeepError::OtherPartitions { version: 2 }), "{back}");
    other.spec.partition_by = Vec::new();
    let plain = other.load().await.unwrap();
    assert_eq!((plain.rows, plain.data_files), (6, 1));
    assert_eq!(other.actions(4, "metaData")[0]["partitionColumns"], json!([]));
}

#[tokio::test]
async fn a_merge_by_a_key_that_parts_the_table_opens_the_partitions_it_brings() {
    let mut weather = Weather::new(Load::Merge);
    weather.spec.source.key = vec!["city".into(), "id".into()];
    weather.spec.partition_by = vec!["city".into()];
    weather.brought("a.jsonl", &[row(1, 1, Some("Rome"), 1.0), row(1, 1, Some("Oslo"), 2.0)]).await;
    let spoilt = weather.spoil_all_but("Rome");
    let report = weather.brought("b.jsonl", &[row(1, 1, Some("Rome"), 3.0), row(1, 2, Some("Rome"), 4.0)]).await;
    assert_eq!((report.rows, report.data_files), (3, 2));
    spoilt.into_iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    let told = weather.told(None, "true").await.unwrap();
    assert!(
        told.contains(&"1|2026-01-01|Rome|3.0".into()) && told.contains(&"1|2026-01-01|Oslo|2.0".into()),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_row_that_is_released_goes_into_its_partition() {
    let weather = Weather::new(Load::NewFiles);
    let first = weather.brought("a.jsonl", &[row(1, 1, Some("Rome"), 1.0), row(2, 2, Some("Oslo"), 999.0)]).await;
    assert_eq!((first.rows, first.quarantined), (1, 1));
    let order = ReviewOrder {
        action: ReviewAction::Release,
        by: "ada".into(),
        why: "so".into(),
        at: Timestamp::from_micros(9),
        choice: Choice { rows: [1].into(), ..Choice::default() },
        version: None,
    };
    let (report, rows) = weather.site.lake.review("demo", "weather", order).await.unwrap();
    assert_eq!((report.rows, report.quarantined, rows), (2, 0, 1));
    assert_eq!(weather.told(None, "city = 'Oslo'").await.unwrap(), ["2|2026-01-02|Oslo|999.0"]);
    assert!(weather.files().iter().any(|name| name.contains("day=2026-01-02T00%3A00%3A00Z/city=Oslo/")));
}

async fn vacuum(weather: &Weather) -> Vacuumed {
    let now = Timestamp::from_micros(9_900_000_000_000_000);
    let vacuum = Vacuum { now, keep: Span::from_micros(0), pinned: BTreeSet::new() };
    let agree = async |_: &Vacuumed| Ok::<_, UpkeepError>(true);
    weather.site.lake.vacuum("demo", "weather", vacuum, agree).await.unwrap()
}

#[tokio::test]
async fn files_are_joined_within_their_partition_brought_back_and_removed() {
    let weather = Weather::new(Load::NewFiles);
    for load in 0..4 {
        let rows = [row(1, load * 2, Some("Rome"), 1.0), row(1, load * 2 + 1, Some(STRANGE), 2.0)];
        weather.brought(&format!("{load}.jsonl"), &rows).await;
    }
    weather.brought("4.jsonl", &[row(2, 8, None, 3.0)]).await;
    let before = weather.told(None, "true").await.unwrap();
    assert_eq!(weather.site.lake.most_files("demo", "weather").await.unwrap(), 4);
    let (report, done) = weather.site.lake.optimize("demo", "weather", by()).await.unwrap();
    let done = done.unwrap();
    assert_eq!((report.version, report.rows, report.data_files, done.removed, done.added), (5, 9, 3, 8, 2));
    assert_eq!((weather.told(None, "true").await.unwrap(), weather.ids(Some(3)).await.len()), (before.clone(), 8));
    let removed = weather.actions(5, "remove");
    assert!(removed.iter().all(|remove| remove["partitionValues"]["city"].is_string()), "{removed:?}");
    assert_eq!(weather.site.lake.optimize("demo", "weather", by()).await.unwrap().1, None);
    // Killed before it was committed, it happens again.
    weather.forget(5);
    assert_eq!(weather.told(None, "true").await.unwrap(), before);
    assert_eq!(weather.site.lake.optimize("demo", "weather", by()).await.unwrap().0.data_files, 3);

    let (restored, _) = weather.site.lake.restore(("demo", "weather"), "one", 1, by()).await.unwrap();
    assert_eq!((restored.rows, restored.data_files), (4, 4));
    assert_eq!(weather.told(None, &format!("city <> 'Rome' AND id > {}", 1)).await.unwrap().len(), 1);
    let next = weather.brought("5.jsonl", &[row(3, 10, Some("Rome"), 3.0)]).await;
    assert_eq!((next.rows, next.files.len()), (5, 1), "what was loaded stays loaded");

    let gone = vacuum(&weather).await;
    assert_eq!((gone.files, weather.files().len()), (7, 5), "{gone:?}");
    assert!(!weather.site.table().join("day=2026-01-02T00%3A00%3A00Z").exists(), "an empty folder is gone");
    assert_eq!(weather.ids(None).await, [0.0, 1.0, 2.0, 3.0, 10.0]);
    let versions = weather.site.lake.versions("demo", "weather").unwrap();
    assert_eq!(versions.iter().filter(|one| one.readable).map(|one| one.version).collect::<Vec<_>>(), [0, 1, 6, 7]);
}

#[tokio::test]
async fn what_a_killed_load_left_in_folders_is_not_seen_and_swept() {
    let weather = Weather::new(Load::NewFiles);
    weather.brought("a.jsonl", &rows()).await;
    let before = weather.files();
    weather.brought("b.jsonl", &[row(1, 8, Some("Rome"), 1.0), row(4, 9, Some("Rome"), 1.0)]).await;
    weather.forget(1);
    let folder = weather.site.table().join(before.first().unwrap()).parent().unwrap().to_owned();
    let hidden = folder.join(".unfinished-part-00000000000000000001-0123456789ab.parquet");
    let orphan = folder.join("part-00000000000000000001-0123456789ab.parquet");
    [&hidden, &orphan].iter().for_each(|path| fs::write(path, "PAR1").unwrap());
    assert_eq!(weather.ids(None).await.len(), 6);
    fs::remove_file(weather.site.dir.path().join("landing/b.jsonl")).unwrap();
    let again = weather.brought("c.jsonl", &[row(1, 8, Some("Rome"), 1.0)]).await;
    assert_eq!((again.version, again.rows), (1, 7));
    assert!(!hidden.exists() && !orphan.exists());
    assert_eq!(weather.files().difference(&before).count(), 1, "nothing of the killed one is left");
    // A file of a partition that is lost is not taken for a table without those rows.
    fs::remove_file(weather.site.table().join(before.last().unwrap())).unwrap();
    let lost = weather.told(None, "city = 'Oslo'").await.unwrap_err();
    assert!(lost.kind() == ErrorKind::Corrupt && lost.to_string().contains("which is gone"), "{lost}");
}

#[tokio::test]
async fn a_column_of_too_many_values_is_refused_by_name_and_nothing_is_left() {
    let mut weather = Weather::new(Load::Full);
    weather.spec.partition_by = vec!["city".into(), "id".into()];
    let rows: Vec<Value> = (0..4_001).map(|id| row(1, id, Some("Rome"), 1.0)).collect();
    weather.put("a.jsonl", &rows);
    let refused = weather.load().await.unwrap_err();
    let told = refused.to_string();
    assert!(matches!(&refused, IngestError::Table(TableError::TooManyPartitions { .. })), "{told}");
    assert!(
        refused.kind() == ErrorKind::TooLarge && told.contains("more than 4000") && told.contains("\"id\""),
        "{told}"
    );
    assert!(refused.fix().unwrap().contains("spec.partitionBy"), "{told}");
    assert!(!weather.site.table().exists() || weather.files().is_empty());
    weather.put("a.jsonl", &rows[..300]);
    assert_eq!(weather.load().await.unwrap().data_files, 300);
}

/// What the reader and writer of delta-rs does: reads the table and its partitions, adds to it, and tells.
const DELTA_RS: &str = r#"
import datetime, json, os, sys
import deltalake, pyarrow as pa
path, add = sys.argv[1], sys.argv[2] == "add"
if add:
    utc = datetime.timezone.utc
    rows = pa.table({"day": pa.array([datetime.datetime(2026, 1, 1, tzinfo=utc)] * 2, pa.timestamp("us", "UTC")),
                     "id": pa.array([100, 101]), "city": pa.array(["Rome", None]),
                     "wind_speed": pa.array([1.5, 2.5])})
    deltalake.write_deltalake(path, rows, mode="append")
table = deltalake.DeltaTable(path)
def told(rows):
    rows = zip(*(rows[c].to_pylist() for c in ("id", "day", "city")))
    return [f"{i}|{d:%Y-%m-%d}|{c}" for i, d, c in sorted(rows)]
print(json.dumps({
    "columns": table.metadata().partition_columns,
    "rows": told(table.to_pyarrow_table()),
    "rome": told(table.to_pyarrow_table(partitions=[("city", "=", "Rome")])),
    "files": len(table.file_uris(partition_filters=[("city", "=", "Rome")])),
    "partitions": len(table.partitions()),
}), flush=True)
os._exit(0)
"#;

fn delta_rs(python: &Path, weather: &Weather, what: &str) -> Value {
    let read = Command::new(python).args(["-c", DELTA_RS]).arg(weather.site.table()).arg(what).output().unwrap();
    let text = String::from_utf8_lossy(&read.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&read.stderr)))
}

#[tokio::test]
async fn another_reader_and_writer_of_delta_goes_on_with_the_table_and_we_with_it() {
    let Some(python) = bedplate_testkit::python() else {
        return bedplate_testkit::not_run("no Python environment with deltalake");
    };
    let weather = Weather::new(Load::NewFiles);
    let kept: Vec<Value> = rows().into_iter().filter(|row| row["city"] != "").collect();
    weather.brought("a.jsonl", &kept).await;
    let strange = format!("2|2026-01-01|{STRANGE}");
    let ours = ["1|2026-01-01|Rome", &strange, "3|2026-01-01|None", "4|2026-01-02|Rome", "6|2026-01-01|Rome"];
    let hive = "7|2026-01-01|__HIVE_DEFAULT_PARTITION__";
    let read = delta_rs(&python, &weather, "read");
    assert_eq!(read["columns"], json!(["day", "city"]));
    assert_eq!(read["rows"], json!([&ours[..], &[hive]].concat()));
    assert_eq!(read["rome"], json!([ours[0], ours[3], ours[4]]));
    assert_eq!((&read["files"], &read["partitions"]), (&json!(2), &json!(5)));

    let added = delta_rs(&python, &weather, "add");
    assert_eq!(added["rows"].as_array().unwrap().len(), 8);
    assert_eq!(weather.ids(None).await, [1.0, 2.0, 3.0, 4.0, 6.0, 7.0, 100.0, 101.0], "we read what it wrote");
    assert_eq!(weather.told(None, "city IS NULL").await.unwrap().len(), 2);
    let next = weather.brought("b.jsonl", &[row(1, 8, Some(STRANGE), 1.0), row(3, 9, None, 1.0)]).await;
    assert_eq!((next.version, weather.ids(None).await.len()), (2, 10));
    let (_, done) = weather.site.lake.optimize("demo", "weather", by()).await.unwrap();
    assert!(done.unwrap().removed >= 4, "its files and ours of one partition are joined");
    let read = delta_rs(&python, &weather, "read");
    assert_eq!(read["rows"].as_array().unwrap().len(), 10);
    assert_eq!((&read["partitions"], read["rome"].as_array().unwrap().len()), (&json!(6), 4));
}
