//! A real PostgreSQL server as a source.

use std::collections::BTreeMap;

use bedplate_kinds::{DatasetSpec, Load, Severity};
use bedplate_query::{
    Access, CancellationToken, Credentials, Frame, Ingest, IngestError, IngestReport, Pending, Whose,
};
use bedplate_testkit::{Postgres, not_run, resident};
use bedplate_types::{Digest, ErrorKind, Explained};
use serde_json::{Value, json};

use crate::table::{Site, calm};

const WHOSE: Whose<'static> = Whose { namespace: "demo", name: "weather", object: "one", roots: &[] };

struct Shop {
    server: &'static Postgres,
    url: String,
    site: Site,
    spec: DatasetSpec,
}

impl Shop {
    /// A database after this SQL, and a dataset of its table t with these columns; none where there is no server.
    fn new(sql: &str, columns: &[(&str, &str)]) -> Option<Self> {
        let server = Postgres::shared("PostgreSQL as a source")?;
        let url = server.database();
        server.sql(&url, sql);
        let columns: Vec<Value> = columns.iter().map(|(name, type_)| json!({ "name": name, "type": type_ })).collect();
        let source = json!({ "postgres": { "connection": { "secret": "db" }, "table": "t" } });
        let spec = json!({ "owner": "o", "source": source, "schema": columns });
        Some(Self { server, url, site: Site::new(), spec: serde_json::from_value(spec).unwrap() })
    }

    fn sql(&self, sql: &str) {
        self.server.sql(&self.url, sql);
    }

    fn access(&self, url: &str) -> Access {
        let values: BTreeMap<String, Vec<u8>> = [("url".to_owned(), url.as_bytes().to_vec())].into();
        Self::access_with(values)
    }

    fn access_with(values: BTreeMap<String, Vec<u8>>) -> Access {
        let hosts =
            ["127.0.0.1", "localhost"].iter().map(|host| host.parse::<bedplate_query::Host>().unwrap()).collect();
        Access { hosts, credentials: Some(Credentials::new("db", values)) }
    }

    async fn pending_as(&self, url: &str) -> Result<Pending, IngestError> {
        let cancel = CancellationToken::new();
        self.site.lake.pending_elsewhere(WHOSE, &self.spec, &self.access(url), &cancel).await
    }

    async fn pending(&self) -> Result<Pending, IngestError> {
        self.pending_as(&self.url).await
    }

    async fn load(&self) -> Result<IngestReport, IngestError> {
        let pending = self.pending().await?;
        let suite = calm(Severity::Quarantine);
        let has_wind = self.spec.column("wind_speed").is_some();
        let ingest = Ingest {
            whose: WHOSE,
            spec: &self.spec,
            suite: has_wind.then_some(&suite),
            references: Default::default(),
            pending,
            input_digest: Digest::from_sha256([7; 32]),
            cancel: CancellationToken::new(),
        };
        self.site.lake.ingest(ingest).await
    }

    async fn rows(&self, columns: &str) -> Frame {
        self.site.rows("weather", columns).await
    }

    fn by_watermark(mut self, column: &str) -> Self {
        self.spec.source.load = Load::Watermark;
        self.spec.source.watermark_column = Some(column.to_owned());
        self
    }

    fn query(mut self, query: &str) -> Self {
        let postgres = self.spec.source.postgres.as_mut().unwrap();
        (postgres.table, postgres.query) = (None, Some(query.to_owned()));
        self
    }

    /// It cannot be read, for these reasons.
    async fn refused(&self, kind: ErrorKind, words: &[&str]) {
        let error = self.pending().await.err().unwrap_or_else(|| panic!("it was read, and not refused: {words:?}"));
        let told = format!("{error} {}", error.fix().unwrap());
        assert_eq!(error.kind(), kind, "{told}");
        words.iter().for_each(|word| assert!(told.contains(word), "{word}: {told}"));
        Postgres::passwords().iter().for_each(|secret| assert!(!told.contains(secret), "{told}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_type_are_what_the_database_says() {
    let Some(mut shop) = Shop::new(
        "CREATE TYPE mood AS ENUM ('calm', 'wild'); CREATE DOMAIN small AS int2;
         CREATE TABLE t (a bool, b int2, c int4, d int8, e float4, f float8, g numeric, h numeric(12, 2), i text,
             j varchar(9), k char(3), l uuid, m jsonb, n date, o timestamp, p timestamptz, q mood, r small, s inet,
             t_ interval, u numeric, unasked bytea);
         INSERT INTO t VALUES (true, -2, 3, 9007199254740993, 1.5, 0.1, 12345678901234567890.123456789, 42.00, 'häus',
             E'a,\"b\\nc', 'x', '00000000-0000-0000-0000-0000000000ff', '{\"k\": [1, null]}', '2013-07-01',
             '2013-07-01 12:00', '2013-07-01 12:00:00.123456+02', 'wild', 7, '10.0.0.1', '1 day 2:00', 0.1, '\\x00');
         INSERT INTO t (i) VALUES ('');",
        &[
            ("a", "boolean"),
            ("b", "int32"),
            ("c", "int64"),
            ("d", "int64"),
            ("e", "float64"),
            ("f", "float64"),
            ("g", "string"),
            ("h", "int64"),
            ("i", "string"),
            ("j", "string"),
            ("k", "string"),
            ("l", "string"),
            ("m", "string"),
            ("n", "timestamp"),
            ("o", "timestamp"),
            ("p", "timestamp"),
            ("q", "string"),
            ("r", "int32"),
            ("s", "string"),
            ("t_", "string"),
            ("u", "float64"),
        ],
    ) else {
        return;
    };
    shop.refused(ErrorKind::Invalid, &["n is date", "o is timestamp", "spec.source.timeZone"]).await;
    shop.spec.source.time_zone = Some("America/New_York".into());
    assert_eq!(shop.load().await.unwrap().rows, 2);
    let text = "coalesce(g, '-') || '|' || coalesce(j, '-') || '|' || coalesce(k, '-') || '|' || coalesce(l, '-') \
                || '|' || coalesce(m, '-') || '|' || coalesce(q, '-') || '|' || coalesce(s, '-') || '|' || \
                coalesce(t_, '-') || '|' || coalesce(i, '-') AS x";
    let found = shop.rows(text).await.strings("x").unwrap();
    let full = "12345678901234567890.123456789|a,\"b\nc|x  |00000000-0000-0000-0000-0000000000ff|{\"k\": [1, null]}|\
                wild|10.0.0.1/32|1 day 02:00:00|häus";
    assert_eq!(found, [Some("-|-|-|-|-|-|-|-|".to_owned()), Some(full.to_owned())]);
    let numbers = "coalesce(d - 9007199254740992, 0) + b + c + h + r AS x, e + f + u AS y, CAST(a AS VARCHAR) AS z, \
                   CAST(n AS VARCHAR) || ' ' || CAST(o AS VARCHAR) || ' ' || CAST(p AS VARCHAR) AS t";
    let frame = shop.rows(numbers).await;
    let all = format!("{frame:?}");
    assert!(all.contains("51"), "1 - 2 + 3 + 42 + 7: {all}");
    assert_eq!(frame.strings("z").unwrap().into_iter().flatten().collect::<Vec<_>>(), ["true"]);
    let times = frame.strings("t").unwrap().into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(times, ["2013-07-01T04:00:00Z 2013-07-01T16:00:00Z 2013-07-01T10:00:00.123456Z"]);
    assert_eq!(frame.f64("y").unwrap()[0], 1.5 + 0.1 + 0.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_told_with_its_column() {
    let Some(shop) = Shop::new(
        "CREATE TABLE t (n int8, b bytea, f float8, l int4[], m numeric); INSERT INTO t (n, m) VALUES (1, 1), (2, 1.5)",
        &[("n", "int32"), ("b", "string"), ("f", "int64"), ("l", "string"), ("gone", "string"), ("m", "boolean")],
    ) else {
        return;
    };
    let words = [
        "n is int8, which cannot be int32: declare it as type: int64",
        "b is bytea",
        "base64",
        "f is float8, which cannot be int64: declare it as type: float64",
        "l is _int4",
        "to_jsonb",
        "gone (string) is missing; there are n, b, f, l, m",
        "m is numeric",
        "float64, or string",
        "public.t do not fit",
    ];
    shop.refused(ErrorKind::Invalid, &words).await;

    let Some(shop) = Shop::new(
        "CREATE TABLE t (m numeric, n int4, at timestamptz); INSERT INTO t VALUES (1, 1, now()), (1.5, 2, 'infinity')",
        &[("m", "int64")],
    ) else {
        return;
    };
    shop.refused(ErrorKind::Invalid, &["row 1", "column m is 1.5", "not whole"]).await;
    let mut at = Shop { spec: shop.spec.clone(), ..shop };
    at.spec.schema[0] = serde_json::from_value(json!({ "name": "at", "type": "timestamp" })).unwrap();
    at.refused(ErrorKind::Invalid, &["column at is infinity"]).await;
    let twice = at.query("SELECT at, at FROM t");
    twice.refused(ErrorKind::Invalid, &["column at is there twice"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_or_not_there_is_told_by_name() {
    let Some(shop) = Shop::new("CREATE TABLE t (n int4); CREATE SEQUENCE s", &[("n", "int32")]) else { return };
    let user = format!("reader_{}", shop.url.rsplit('/').next().unwrap());
    shop.sql(&format!("CREATE ROLE {user} LOGIN PASSWORD 'p@ss/w:rd?'"));
    let theirs = shop.url.replace("bedplate_tests", &user);
    let refused = async |shop: &Shop, url: &str, kind: ErrorKind, words: &[&str]| {
        let error = shop.pending_as(url).await.unwrap_err();
        let told = format!("{error} {} {error:?}", error.fix().unwrap());
        assert_eq!(error.kind(), kind, "{told}");
        words.iter().for_each(|word| assert!(told.contains(word), "{word}: {told}"));
        let secrets = Postgres::passwords().into_iter().chain(["wr%40ng", "wr@ng"]);
        secrets.for_each(|secret| assert!(!told.contains(secret), "{told}"));
    };
    refused(&shop, &theirs, ErrorKind::Denied, &["permission denied for table t", "public.t", "42501"]).await;
    let wrong = shop.url.replace(Postgres::passwords()[1], "wr%40ng");
    refused(&shop, &wrong, ErrorKind::Denied, &["password authentication failed"]).await;
    refused(&shop, &format!("{}x", shop.url), ErrorKind::NotFound, &["does not exist"]).await;
    let tls = format!("{}?sslmode=require", shop.url);
    refused(&shop, &tls, ErrorKind::Invalid, &["the Secret db", "server does not support TLS"]).await;
    refused(&shop, "postgres://u:p@10.9.9.9/x", ErrorKind::Denied, &["10.9.9.9:5432", "--source-host"]).await;
    let nobody = format!("postgres://u:{}@127.0.0.1:1/x", Postgres::passwords()[1]);
    refused(&shop, &nobody, ErrorKind::NotReady, &["127.0.0.1:1", "refused", "tried again"]).await;
    let mut gone = Shop { spec: shop.spec.clone(), ..shop };
    gone.spec.source.postgres.as_mut().unwrap().table = Some("nowhere.t".into());
    gone.refused(ErrorKind::NotFound, &["nowhere.t"]).await;
    let writes = gone.query("SELECT nextval('s')::int4 AS n");
    writes.refused(ErrorKind::Invalid, &["read-only transaction"]).await;
    let escapes = writes.query("SELECT 1 AS n) x; DROP TABLE t; SELECT * FROM (SELECT 1 AS n");
    escapes.refused(ErrorKind::Invalid, &["cannot insert multiple commands"]).await;
    let mut slow = escapes.query("SELECT n, pg_sleep(30) FROM (SELECT 1 AS n) x");
    slow.spec.source.postgres.as_mut().unwrap().timeout = Some("1s".parse().unwrap());
    slow.refused(ErrorKind::Timeout, &["longer than 1 s", "spec.source.postgres.timeout"]).await;
    assert_eq!(slow.server.sql(&slow.url, "SELECT count(*) FROM t").trim(), "0");
}

/// Rows in another order are the same rows; a value that changes makes others.
#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_table_is_known_again() {
    let Some(shop) = Shop::new(
        "CREATE TABLE t (n int4, s text); INSERT INTO t SELECT i, 'x' || i FROM generate_series(1, 30000) i",
        &[("n", "int32"), ("s", "string")],
    ) else {
        return;
    };
    let first = shop.load().await.unwrap();
    assert_eq!((first.rows, first.version), (30_000, 0));
    let [file] = first.files.as_slice() else { panic!("{:?}", first.files) };
    let (port, name) = shop.url.rsplit_once("127.0.0.1:").unwrap().1.split_once('/').unwrap();
    assert_eq!(file.path, format!("postgres://127.0.0.1:{port}/{name}/public.t"));
    let digest = shop.pending().await.unwrap().digest;
    assert_eq!(digest, first.source_digest);
    shop.sql("UPDATE t SET s = s WHERE n < 20000");
    assert_eq!(shop.pending().await.unwrap().digest, digest, "the rows lie elsewhere in the table now");
    shop.sql("UPDATE t SET s = 'y' WHERE n = 7");
    let changed = shop.pending().await.unwrap().digest;
    assert_ne!(changed, digest);
    shop.sql("INSERT INTO t SELECT * FROM t WHERE n = 8");
    assert_ne!(shop.pending().await.unwrap().digest, changed, "a row that is there twice counts twice");
    assert_eq!(shop.load().await.unwrap().rows, 30_001);
    let spool = shop.site.lake.root().join(".spool");
    assert_eq!(std::fs::read_dir(spool).unwrap().count(), 0, "nothing is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_with_the_highest_watermark_are_neither_lost_nor_doubled() {
    let Some(shop) = Shop::new(
        "CREATE TABLE t (at timestamptz, n int8, wind_speed float8);
         INSERT INTO t VALUES ('2020-01-01', 1, 1), ('2020-01-02', 2, 2), ('2020-01-02', 3, 999), (NULL, 4, 4)",
        &[("at", "timestamp"), ("n", "int64"), ("wind_speed", "float64")],
    ) else {
        return;
    };
    let shop = shop.by_watermark("at");
    let numbers = async |shop: &Shop| shop.rows("n").await.f64("n").unwrap();
    let first = shop.load().await.unwrap();
    assert_eq!((first.rows, first.quarantined, first.rows_read), (2, 2, 4));
    let nothing = shop.pending().await.unwrap();
    assert!(nothing.files.is_empty() && nothing.appends());
    // One that came later with the same time, one that is equal to one that was read, and one with a new time.
    shop.sql(
        "INSERT INTO t VALUES ('2020-01-02', 5, 5), ('2020-01-02', 2, 2), ('2020-01-03', 6, 6), ('2019-01-01', 9, 9)",
    );
    let second = shop.load().await.unwrap();
    assert_eq!((second.rows, second.quarantined, second.rows_read, second.version), (5, 2, 7, 1));
    assert_eq!(numbers(&shop).await, [1.0, 2.0, 2.0, 5.0, 6.0]);
    // A row that was put aside is at the edge too.
    shop.sql("INSERT INTO t VALUES ('2020-01-04', 7, 999)");
    let third = shop.load().await.unwrap();
    assert_eq!((third.rows, third.quarantined, third.version), (5, 3, 2));
    assert!(shop.pending().await.unwrap().files.is_empty());
    shop.sql("INSERT INTO t VALUES ('2020-01-04', 7, 999), ('2020-01-04', 8, 8)");
    let fourth = shop.load().await.unwrap();
    assert_eq!((fourth.rows, fourth.quarantined), (6, 4));
    assert_eq!(numbers(&shop).await, [1.0, 2.0, 2.0, 5.0, 6.0, 8.0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watermark_is_an_argument_of_the_statement() {
    let Some(shop) = Shop::new(
        "CREATE TABLE t (n numeric, m int4); CREATE INDEX ON t (m); INSERT INTO t SELECT i, i FROM generate_series(1, 50) i",
        &[("n", "int64"), ("m", "int32")],
    ) else {
        return;
    };
    let mut shop = shop.by_watermark("n");
    for column in ["n", "m"] {
        shop.spec.source.watermark_column = Some(column.into());
        let before = shop.load().await.unwrap().rows;
        // As text 9 is more than 51.
        shop.sql("INSERT INTO t SELECT max(n) + 1, max(m) + 1 FROM t; ALTER TABLE t ADD CHECK (m > 0)");
        let report = shop.load().await.unwrap();
        assert_eq!((report.rows, report.appended), (before + 1, true), "{column}");
        assert!(report.files[0].bytes < 4_096, "only what is new was read");
    }
    let zoned =
        Shop::new("CREATE TABLE t (at timestamp); INSERT INTO t VALUES ('2020-07-01 12:00')", &[("at", "timestamp")]);
    let mut zoned = zoned.unwrap().by_watermark("at");
    zoned.spec.source.time_zone = Some("Europe/Berlin".into());
    assert_eq!(zoned.load().await.unwrap().rows, 1);
    zoned.sql("INSERT INTO t VALUES ('2020-07-01 11:59'), ('2020-07-01 12:00'), ('2020-07-01 12:01')");
    assert_eq!(zoned.load().await.unwrap().rows, 3);
}

/// The connection ends while rows come: the table is as it was, and the next load is as though nothing had been.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_lost_midway_leaves_nothing() {
    let Some(shop) = Shop::new(
        "CREATE TABLE t (n int4, s text); INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 400) i",
        &[("n", "int32"), ("s", "string")],
    ) else {
        return;
    };
    let rows = shop.load().await.unwrap().rows;
    // A row takes ten milliseconds, so that there is a middle.
    let slow = "SELECT n, s, pg_sleep(0.01) FROM t";
    let slow = shop.query(slow);
    let ended = |slow: &Shop| {
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                   WHERE application_name = 'bedplate' AND datname = current_database() AND query LIKE '%pg_sleep%'";
        slow.server.sql(&slow.url, sql).trim().to_owned()
    };
    let (read, ended) = tokio::join!(slow.pending(), async {
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
        ended(&slow)
    });
    assert_eq!(ended, "1", "it was not reading any more");
    let error = read.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotReady, "{error}");
    assert!(error.to_string().contains("terminating connection"), "{error}");
    let committed = slow.site.lake.committed("demo", "weather").await.unwrap().unwrap();
    assert_eq!((committed.version, committed.report.rows), (0, rows));
    assert_eq!(std::fs::read_dir(slow.site.lake.root().join(".spool")).unwrap().count(), 0);
    assert_eq!(slow.load().await.unwrap().rows, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_is_cancelled_ends_in_the_database_too() {
    let Some(shop) = Shop::new("CREATE TABLE t (n int4)", &[("n", "int32")]) else { return };
    let shop = shop.query("SELECT 1 AS n, pg_sleep(600)");
    let cancel = CancellationToken::new();
    let access = shop.access(&shop.url);
    let running = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(600)%' \
                   AND state = 'active' AND application_name = 'bedplate'";
    let count = || shop.server.sql(&shop.url, running).trim().to_owned();
    let (read, ()) = tokio::join!(shop.site.lake.pending_elsewhere(WHOSE, &shop.spec, &access, &cancel), async {
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while count() != "1" {
            assert!(std::time::Instant::now() < until, "it never ran");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        cancel.cancel();
    });
    assert!(read.unwrap_err().to_string().contains("cancelled"));
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while count() != "0" {
        assert!(std::time::Instant::now() < until, "the database still works on it");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Three hundred megabytes of rows go through in a small part of that.
#[tokio::test(flavor = "multi_thread")]
async fn memory_does_not_grow_with_the_table() {
    let Some(shop) = Shop::new("SELECT 1", &[("n", "int64"), ("s", "string")]) else { return };
    let shop = shop.query("SELECT n, repeat(md5(n::text), 32) AS s FROM generate_series(1, 300000) n");
    let me = std::process::id();
    let before = resident(me);
    let done = CancellationToken::new();
    let watch = async {
        let mut peak = 0;
        while !done.is_cancelled() {
            peak = peak.max(resident(me));
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        peak
    };
    let read = async {
        let pending = shop.pending().await.unwrap();
        done.cancel();
        pending
    };
    let (pending, peak) = tokio::join!(read, watch);
    assert!(pending.bytes() > 300_000_000, "{}", pending.bytes());
    assert!(peak.saturating_sub(before) < 150 << 20, "{} MiB more", peak.saturating_sub(before) >> 20);
    println!("{} MB of rows, {} MiB more in memory", pending.bytes() / 1_000_000, peak.saturating_sub(before) >> 20);
}

/// A server that shows a certificate for localhost, signed by an authority that no machine knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_trusted_by_its_certificate_alone() {
    let Ok(server) = Postgres::start() else {
        return not_run("TLS to PostgreSQL as a source: there is no PostgreSQL server");
    };
    let url = server.database();
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    for (name, text) in [("server.crt", &certificate), ("server.key", &key.serialize_pem())] {
        // The server writes its own file, that nobody else may read, once it has taken what it is sent.
        let text = text.replace('\n', "\\n");
        server.sql(
            &url,
            &format!("COPY (SELECT 1) TO PROGRAM $$cat > /dev/null; umask 077; printf -- '{text}' > {name}$$"),
        );
    }
    server.sql(&url, "CREATE TABLE t AS SELECT 7 AS n");
    server.sql(&url, "ALTER SYSTEM SET ssl = on");
    server.sql(&url, "SELECT pg_reload_conf()");
    let source = json!({ "postgres": { "connection": { "secret": "db" }, "table": "t" } });
    let schema = json!([{ "name": "n", "type": "int32" }]);
    let spec: DatasetSpec =
        serde_json::from_value(json!({ "owner": "o", "source": source, "schema": schema })).unwrap();
    let (site, cancel) = (Site::new(), CancellationToken::new());
    let by_name = format!("{}?sslmode=require", url.replace("127.0.0.1", "localhost"));
    let read = async |url: &str, authority: Option<&str>| {
        let mut values: BTreeMap<String, Vec<u8>> = [("url".to_owned(), url.as_bytes().to_vec())].into();
        values.extend(authority.map(|pem| ("ca.crt".to_owned(), pem.as_bytes().to_vec())));
        site.lake.pending_elsewhere(WHOSE, &spec, &Shop::access_with(values), &cancel).await.map_err(|e| e.to_string())
    };
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while read(&by_name, Some(&certificate)).await.is_err_and(|error| error.contains("does not support")) {
        assert!(std::time::Instant::now() < until, "it never speaks TLS");
    }
    assert_eq!(read(&by_name, Some(&certificate)).await.unwrap().files.len(), 1);
    let stranger = read(&by_name, None).await.unwrap_err();
    assert!(stranger.contains("TLS does not vouch for") && stranger.contains("UnknownIssuer"), "{stranger}");
    let by_address = format!("{url}?sslmode=require");
    let other = read(&by_address, Some(&certificate)).await.unwrap_err();
    assert!(other.contains("not valid for name"), "{other}");
    let nothing = read(&by_name, Some("no certificate")).await.unwrap_err();
    assert!(nothing.contains("there is no certificate in it"), "{nothing}");
}
