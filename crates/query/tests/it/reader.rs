//! Statements of people: what they can read, and that nothing they say gets round what is masked or filtered.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::json::LineDelimitedWriter;
use bedplate_kinds::{ColumnType, Mask};
use bedplate_query::{Answer, Lake, Limits, ReadError, Readable, Reader, Request, ShownColumn};
use bedplate_types::{ErrorKind, Explained};
use futures::StreamExt;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use crate::table::{With, load_into, spec};

const COLUMNS: [(&str, ColumnType); 7] = [
    ("id", ColumnType::Int64),
    ("name", ColumnType::String),
    ("email", ColumnType::String),
    ("ssn", ColumnType::String),
    ("age", ColumnType::Int64),
    ("salary", ColumnType::Int64),
    ("region", ColumnType::String),
];

/// Columns that a table may be parted by, kept back and not.
const PARTED: &[&str] = &["region", "salary", "age"];

/// What no answer may hold: e-mail addresses (hashed), numbers of persons (nullified) and salaries (hidden) of everybody,
/// and everything of whoever is not of the region `eu`.
const SECRETS: [&str; 12] =
    ["ada@", "bob@", "cyd@", "dan@", "111-11", "222-22", "333-33", "444-44", "71001", "Cyd", "Dan", "us-secret"];

struct Site {
    _dir: TempDir,
    lake: Arc<Lake>,
    reader: Reader,
    rows: i64,
}

async fn site(limits: Limits) -> Site {
    parted_site(limits, &[]).await
}

async fn parted_site(limits: Limits, partition_by: &[&str]) -> Site {
    let dir = tempfile::tempdir().unwrap();
    let lake = Arc::new(Lake::open(dir.path().join("lake")).unwrap());
    let text = |values: [&str; 4]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let numbers = |values: [i64; 4]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("id", numbers([1, 2, 3, 4]), true),
        ("name", text(["Ada", "Bob", "Cyd", "Dan"]), true),
        ("email", text(["ada@example.org", "bob@example.org", "cyd@example.org", "dan@example.org"]), true),
        ("ssn", text(["111-11", "222-22", "333-33", "444-44"]), true),
        ("age", numbers([36, 41, 99, 12]), true),
        ("salary", numbers([71_001, 71_002, 71_003, 71_004]), true),
        ("region", text(["eu", "eu", "us-secret", "us-secret"]), true),
    ]);
    let path = dir.path().join("people.parquet");
    let batch = batch.unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let mut spec = spec(&COLUMNS);
    spec.partition_by = partition_by.iter().map(|name| (*name).to_owned()).collect();
    load_into(&lake, "people", &path, &spec, With::default()).await.unwrap();
    let reader = Reader::open(lake.clone(), limits, [7; 32]).unwrap();
    Site { _dir: dir, lake, reader, rows: 4 }
}

fn people(masks: &[(&str, Mask)], filters: &[&str]) -> Readable {
    let mask = |column: &str| masks.iter().find(|(name, _)| *name == column).map(|(_, mask)| *mask);
    let columns = COLUMNS.iter().map(|(name, _)| ShownColumn { name: (*name).to_owned(), mask: mask(name) });
    Readable {
        table: "people".into(),
        dataset: "people".into(),
        version: 0,
        columns: columns.collect(),
        filters: filters.iter().map(|filter| (*filter).to_owned()).collect(),
    }
}

fn guarded() -> Readable {
    let masks = [("email", Mask::Hash), ("ssn", Mask::Nullify), ("salary", Mask::Hide)];
    people(&masks, &["region = 'eu'"])
}

impl Site {
    async fn ask(&self, table: Readable, sql: &str) -> Result<Answer, ReadError> {
        let request =
            Request { namespace: "demo".into(), sql: sql.into(), tables: vec![table], limit: None, engine: None };
        self.reader.run(request, drop).await
    }

    /// The rows as lines of JSON.
    async fn rows(&self, table: Readable, sql: &str) -> Result<String, ReadError> {
        let mut answer = self.ask(table, sql).await?;
        let mut lines = LineDelimitedWriter::new(Vec::new());
        while let Some(batch) = answer.next().await.transpose()? {
            lines.write(&batch).unwrap();
        }
        lines.finish().unwrap();
        Ok(String::from_utf8(lines.into_inner()).unwrap())
    }

    /// Waits until a statement that was ended has left its place: it does so a moment after it says so.
    async fn becomes_free(&self) {
        let free = async {
            while let Err(error) = self.rows(people(&[], &[]), "SELECT 1").await {
                assert!(matches!(error, ReadError::Busy { .. }), "{error}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), free).await.expect("who goes away ends the statement");
    }
}

/// Every way we know to see what is kept back; also tried on a cluster.
const ATTEMPTS: &str = include_str!("attempts.sql");

#[tokio::test]
async fn nothing_that_is_masked_or_filtered_is_got_at() {
    for site in [site(Limits::default()).await, parted_site(Limits::default(), PARTED).await] {
        nothing_is_got_at(site).await;
    }
}

async fn nothing_is_got_at(site: Site) {
    let mut answered = 0;
    for sql in ATTEMPTS.lines() {
        let told = match site.rows(guarded(), sql).await {
            Ok(rows) => {
                answered += 1;
                rows
            }
            Err(error) => error.to_string(),
        };
        // What the statement itself holds is no news.
        let secrets = SECRETS.iter().filter(|secret| !sql.contains(*secret));
        for secret in secrets {
            assert!(!told.contains(secret), "{sql} told {secret}: {told}");
        }
        assert!(!told.contains("parquet"), "{sql} told of files: {told}");
        // One line of a plan for each step; what an aggregate promises of itself is no news.
        let scans = told.split("\\n").filter(|step| step.contains("DatasetScan"));
        scans.for_each(|scan| assert!(!scan.contains("Exact("), "{sql} told of what is there: {scan}"));
        let others = ["\"others\":1", "\"others\":2", "ada@ it is"];
        assert!(!others.iter().any(|other| told.contains(other)), "{sql}: {told}");
        if !sql.contains("salary") {
            assert!(!told.contains("salary"), "{sql} told of a hidden column: {told}");
        }
    }
    assert!(answered > 50, "only {answered} were answered: the rest does not try anything");
}

#[tokio::test]
async fn what_is_kept_back_is_not_counted_and_not_met() {
    for site in [site(Limits::default()).await, parted_site(Limits::default(), PARTED).await] {
        what_is_kept_back(site).await;
    }
}

async fn what_is_kept_back(site: Site) {
    for (sql, expect) in [
        ("SELECT count(*) AS n FROM people", "{\"n\":2}\n"),
        (
            "SELECT count(1) AS n, count(ssn) AS s, count(DISTINCT email) AS e FROM people",
            "{\"n\":2,\"s\":0,\"e\":2}\n",
        ),
        ("SELECT count(*) AS n FROM people WHERE email = 'ada@example.org'", "{\"n\":0}\n"),
        ("SELECT count(*) AS n FROM people a JOIN people b ON a.email = b.email", "{\"n\":2}\n"),
        ("SELECT name FROM people WHERE 1 / (age - 99) < 1 ORDER BY name LIMIT 1", "{\"name\":\"Ada\"}\n"),
        ("SELECT max(age) AS n FROM people", "{\"n\":41}\n"),
    ] {
        assert_eq!(site.rows(guarded(), sql).await.unwrap(), expect, "{sql}");
    }
    let described = site.rows(guarded(), "DESCRIBE people").await.unwrap();
    assert_eq!(described.lines().count(), COLUMNS.len() - 1, "{described}");
    let hashed = site.rows(guarded(), "SELECT email FROM people ORDER BY name").await.unwrap();
    assert!(hashed.lines().all(|line| line.len() == "{\"email\":\"\"}".len() + 32), "{hashed}");
    let redacted = people(&[("email", Mask::Redact), ("id", Mask::Hash)], &[]);
    let rows =
        site.rows(redacted, "SELECT DISTINCT email, min(id) > 4 AS hashed FROM people GROUP BY email").await.unwrap();
    assert_eq!(rows, "{\"email\":\"REDACTED\",\"hashed\":true}\n");
}

#[tokio::test]
async fn whoever_may_sees_all_and_the_engine_helps() {
    for site in [site(Limits::default()).await, parted_site(Limits::default(), PARTED).await] {
        whoever_may(site).await;
    }
}

async fn whoever_may(site: Site) {
    let open = || people(&[], &[]);
    let count = site.rows(open(), "SELECT count(*) AS n, max(salary) AS s FROM people").await.unwrap();
    assert_eq!(count, format!("{{\"n\":{},\"s\":71004}}\n", site.rows));
    let pruned = site.rows(open(), "SELECT name FROM people WHERE email = 'cyd@example.org'").await.unwrap();
    assert_eq!(pruned, "{\"name\":\"Cyd\"}\n");
    let plan = site.rows(open(), "EXPLAIN SELECT name FROM people WHERE age > 40").await.unwrap();
    assert!(plan.contains("DatasetScan: dataset=people, version=0") && !plan.contains("parquet"), "{plan}");
    // A filter that binds stands below a plan that says nothing of how.
    let plan = site.rows(guarded(), "EXPLAIN SELECT name FROM people WHERE age > 40").await.unwrap();
    assert!(plan.contains("masked=[email=hash, ssn=nullify], rowFilters=1") && !plan.contains("'eu'"), "{plan}");
    assert_eq!(site.lake.committed("demo", "people").await.unwrap().unwrap().report.rows, 4);
}

#[tokio::test]
async fn a_filter_that_cannot_be_applied_shows_nothing() {
    let site = site(Limits::default()).await;
    for filter in ["nowhere = 1", "age +", "age + 1", "id IN (SELECT id FROM people)", "sum(age) > 1", "region = 'eu';"]
    {
        let error = site.rows(people(&[], &[filter]), "SELECT 1 FROM people").await.unwrap_err();
        assert!(matches!(error, ReadError::Filter { .. }), "{filter}: {error}");
        assert_eq!(error.kind(), ErrorKind::Refused);
    }
    // Both must be met.
    let both = people(&[], &["region = 'eu'", "age > 40"]);
    assert_eq!(site.rows(both, "SELECT name FROM people").await.unwrap(), "{\"name\":\"Bob\"}\n");
    // A mask that does not fit the stored type shows nothing, and a column that is gone is not there.
    let odd = people(&[("age", Mask::Redact)], &[]);
    assert_eq!(site.rows(odd, "SELECT count(age) AS n FROM people").await.unwrap(), "{\"n\":0}\n");
    let mut more = people(&[], &[]);
    more.columns.push(ShownColumn { name: "later".into(), mask: None });
    assert!(site.rows(more, "SELECT later FROM people").await.is_err());
}

#[tokio::test]
async fn nothing_outside_of_what_was_opened_is_reached() {
    let site = site(Limits::default()).await;
    let file = format!("SELECT * FROM '{}'", site.lake.location("demo", "people").unwrap().display());
    for sql in [
        "SELECT * FROM other",
        "SELECT * FROM elsewhere.people",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM information_schema.df_settings",
        "SELECT * FROM pg_catalog.pg_tables",
        "SELECT * FROM 'file:///etc/passwd'",
        "SELECT * FROM range(10)",
        "SELECT * FROM read_parquet('/etc/passwd')",
        "INSERT INTO people SELECT * FROM people",
        "SET datafusion.catalog.information_schema = true",
        &file,
    ] {
        let error = site.rows(people(&[], &[]), sql).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{sql}: {error}");
    }
}

#[tokio::test]
async fn statements_are_bounded_in_number_time_rows_and_depth() {
    let limits = Limits { statements: 1, time: Duration::from_millis(300), ..Limits::default() };
    let site = site(limits).await;
    let endless = "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r";
    let running = site.ask(people(&[], &[]), endless).await.unwrap();
    let busy = site.ask(people(&[], &[]), "SELECT 1").await.err().unwrap();
    assert!(matches!(busy, ReadError::Busy { most: 1 }), "{busy}");
    drop(running);
    site.becomes_free().await;
    let slow = format!("SELECT count(*) FROM ({endless})");
    let error = site.rows(people(&[], &[]), &slow).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    site.becomes_free().await;
    let request = Request {
        namespace: "demo".into(),
        sql: "SELECT id FROM people".into(),
        tables: vec![people(&[], &[])],
        limit: Some(3),
        engine: None,
    };
    let rows = site.reader.run(request, drop).await.unwrap();
    let rows: usize = rows.map(|batch| batch.unwrap().num_rows()).collect::<Vec<_>>().await.iter().sum();
    assert_eq!(rows, 3);
}

#[tokio::test]
async fn a_deep_statement_does_not_end_the_process() {
    let site = site(Limits::default()).await;
    let sum = format!("SELECT 1{} AS n", "+1".repeat(1_900));
    assert_eq!(site.rows(people(&[], &[]), &sum).await.unwrap(), "{\"n\":1901}\n");
    let ors = format!("SELECT count(*) AS n FROM people WHERE id = 1{}", " OR id + id = 3".repeat(600));
    assert_eq!(site.rows(people(&[], &[]), &ors).await.unwrap(), "{\"n\":1}\n");
    let unions = format!("SELECT count(*) AS n FROM (SELECT 1{})", " UNION ALL SELECT 1".repeat(300));
    assert_eq!(site.rows(people(&[], &[]), &unions).await.unwrap(), "{\"n\":301}\n");
    let doubled: Vec<String> =
        (1..40).map(|n| format!("c{n} AS (SELECT 1 AS n FROM c{} a, c{} b)", n - 1, n - 1)).collect();
    let bomb = format!("WITH c0 AS (SELECT 1 AS n), {} SELECT count(*) FROM c39", doubled.join(", "));
    let refused = site.rows(people(&[], &[]), &bomb).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::TooLarge, "{refused}");
    let nested = format!("SELECT {}1{}", "(".repeat(1_000), ")".repeat(1_000));
    assert!(site.rows(people(&[], &[]), &nested).await.is_err());
}

#[tokio::test]
async fn what_was_read_is_told_however_it_ends() {
    let site = site(Limits::default()).await;
    for (table, sql) in [(people(&[], &[]), "SELECT name FROM people"), (guarded(), "SELECT email FROM people")] {
        let (tell, told) = tokio::sync::oneshot::channel();
        let request =
            Request { namespace: "demo".into(), sql: sql.into(), tables: vec![table], limit: None, engine: None };
        let answer = site.reader.run(request, move |bytes| drop(tell.send(bytes))).await.unwrap();
        let _: Vec<_> = answer.collect().await;
        let bytes = told.await.unwrap();
        assert!(bytes.get("people").is_some_and(|bytes| *bytes > 50), "{sql}: {bytes:?}");
    }
}
