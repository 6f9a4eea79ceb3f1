//! SQL: what it can say, what it refuses, and how it says what is wrong.

use std::collections::HashSet;

use bedplate_kinds::Severity;
use bedplate_query::{QueryError, TableRef};
use bedplate_types::{ErrorKind, Explained};

use crate::table::{HOUR, Site, latest};

async fn site() -> Site {
    let site = Site::new();
    site.ingest(&[1.5, 2.5, 3.5, 4.5], Severity::Warn).await.unwrap();
    site
}

async fn refusal(site: &Site, sql: &str) -> QueryError {
    site.lake.sql(&[latest("weather")], sql).await.unwrap_err()
}

#[tokio::test]
async fn reads_join_and_group_over_named_tables() {
    let site = site().await;
    let other = TableRef { alias: "w".into(), ..latest("weather") };
    let sql = "SELECT t.origin, sum(w.wind_speed) AS wind, max(t.time_hour) AS last \
               FROM t JOIN w ON t.origin = w.origin AND t.time_hour = w.time_hour GROUP BY t.origin ORDER BY 1";
    let frame = site.lake.sql(&[latest("weather"), other], sql).await.unwrap();
    assert_eq!(frame.strings("origin").unwrap(), [Some("EWR".into()), Some("JFK".into())]);
    assert_eq!(frame.f64("wind").unwrap(), [5.0, 7.0]);
    assert_eq!(frame.micros("last").unwrap(), [Some(2 * HOUR), Some(3 * HOUR)]);
}

#[tokio::test]
async fn time_arithmetic_is_there() {
    let site = site().await;
    let sql = "SELECT time_hour + arrow_cast(CAST(90 AS BIGINT) * 60000000, 'Duration(Microsecond)') AS later, \
               time_hour + INTERVAL '90 minutes' AS same, \
               to_timestamp_micros(arrow_cast(time_hour, 'Int64') + 1) AS shifted, \
               extract(hour FROM time_hour) AS hour, date_part('dow', time_hour) AS day, \
               greatest(wind_speed, 3) AS g, coalesce(NULL, wind_speed) AS c, \
               CASE WHEN wind_speed > 3 THEN upper('high') ELSE 'low' END AS word \
               FROM t ORDER BY time_hour";
    let frame = site.lake.sql(&[latest("weather")], sql).await.unwrap();
    assert_eq!(frame.micros("later").unwrap()[3], Some(3 * HOUR + 90 * 60_000_000));
    assert_eq!(frame.micros("same").unwrap(), frame.micros("later").unwrap());
    assert_eq!(frame.micros("shifted").unwrap()[1], Some(HOUR + 1));
    assert_eq!(frame.f64("hour").unwrap(), [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(frame.f64("day").unwrap()[0], 4.0, "1970 began on a Thursday");
    assert_eq!(frame.f64("g").unwrap(), [3.0, 3.0, 3.5, 4.5]);
    assert_eq!(frame.strings("word").unwrap()[3], Some("HIGH".into()));
}

#[tokio::test]
async fn nothing_is_written_and_nothing_else_is_read() {
    let site = site().await;
    let target = site.dir.path().join("out.parquet");
    for sql in [
        "CREATE TABLE x AS SELECT 1".to_owned(),
        "CREATE EXTERNAL TABLE x STORED AS PARQUET LOCATION '/tmp/'".to_owned(),
        "DROP TABLE t".to_owned(),
        "INSERT INTO t SELECT * FROM t".to_owned(),
        "DELETE FROM t".to_owned(),
        format!("COPY t TO '{}'", target.display()),
        "SET datafusion.execution.target_partitions = 9".to_owned(),
    ] {
        let error = refusal(&site, &sql).await;
        assert!(matches!(error, QueryError::NotASelect { .. }), "{sql}: {error:?}");
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    assert!(!target.exists());
    let file = format!("SELECT * FROM '{}'", site.source(&[1.0]).display());
    for sql in ["SELECT * FROM weather", "SELECT * FROM information_schema.tables", &file] {
        assert!(matches!(refusal(&site, sql).await, QueryError::MissingTable { .. }), "{sql}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_plainly() {
    let site = site().await;
    let column = refusal(&site, "SELECT wind FROM t").await;
    assert_eq!(
        column.to_string(),
        "column \"wind\" is not there; there are t.origin, t.month, t.wind_speed, t.time_hour"
    );
    let table = refusal(&site, "SELECT 1 FROM planes").await;
    assert_eq!(table.to_string(), "table 'planes' not found; there are t");
    assert!(matches!(refusal(&site, "SELEC 1").await, QueryError::Syntax { .. }));
    assert!(matches!(
        refusal(&site, "SELECT 1; SELECT 2").await,
        QueryError::Failed { .. } | QueryError::Syntax { .. }
    ));
    let bad = refusal(&site, "SELECT CAST(origin AS INT) FROM t").await;
    assert!(bad.to_string().contains("EWR"), "{bad}");
    let missing = site.lake.sql(&[TableRef { version: Some(9), ..latest("weather") }], "SELECT 1").await.unwrap_err();
    assert!(missing.to_string().ends_with("has no version 9; the latest is 0"), "{missing}");
    let twice = site.lake.sql(&[latest("weather"), latest("weather")], "SELECT 1").await.unwrap_err();
    assert!(matches!(twice, QueryError::TwoTables { .. }));
}

#[tokio::test]
async fn values_of_a_column_are_for_references() {
    let site = site().await;
    let origins = site.lake.values("demo", "weather", "origin").await.unwrap();
    assert_eq!(origins, HashSet::from(["EWR".to_owned(), "JFK".to_owned()]));
    assert!(site.lake.values("demo", "weather", "faa").await.is_err());
    assert_eq!(site.lake.values("demo", "airports", "faa").await.unwrap_err().kind(), ErrorKind::NotFound);
}
