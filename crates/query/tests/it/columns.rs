//! What a query's columns are made of, read off real plans.

use bedplate_kinds::Severity;
use bedplate_query::{OutputColumn, QueryError, TableRef};

use crate::table::{Site, latest};

async fn site() -> Site {
    let site = Site::new();
    site.ingest(&[1.5, 2.5], Severity::Warn).await.unwrap();
    site
}

fn tables() -> [TableRef; 2] {
    [latest("weather"), TableRef { alias: "w".into(), ..latest("weather") }]
}

/// `name: t.column HOW, …`
fn told(column: &OutputColumn) -> String {
    let of: Vec<_> =
        column.of.iter().map(|(of, how)| format!("{}.{} {}", of.table, of.column, how.subtype())).collect();
    format!("{}: {}", column.name, of.join(", "))
}

async fn columns(sql: &str) -> Vec<String> {
    let site = site().await;
    let columns = site.lake.columns(&tables(), sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    columns.iter().map(told).collect()
}

#[tokio::test]
async fn names_expressions_and_stars_are_followed_through_ctes() {
    let sql = "WITH a AS (SELECT x.*, wind_speed * 2 AS twice FROM t x WHERE month = 1), b AS (SELECT *, twice + month AS more FROM a)
               SELECT origin, more AS m, 7 AS seven, CASE WHEN month > 3 THEN origin END AS c FROM b";
    assert_eq!(
        columns(sql).await,
        [
            "origin: t.month FILTER, t.origin IDENTITY",
            "m: t.month TRANSFORMATION, t.wind_speed TRANSFORMATION",
            "seven: t.month FILTER",
            "c: t.month TRANSFORMATION, t.origin TRANSFORMATION",
        ]
    );
}

#[tokio::test]
async fn aggregates_groups_windows_and_orders_are_told_apart() {
    let sql = "SELECT origin, avg(wind_speed + month) AS mean, count(*) AS n FROM t GROUP BY origin HAVING max(month) > 0 ORDER BY max(time_hour)";
    assert_eq!(
        columns(sql).await,
        [
            "origin: t.month FILTER, t.origin IDENTITY, t.time_hour SORT",
            "mean: t.month AGGREGATION, t.origin GROUP_BY, t.time_hour SORT, t.wind_speed AGGREGATION",
            "n: t.month FILTER, t.origin GROUP_BY, t.time_hour SORT",
        ]
    );
    let sql = "SELECT sum(wind_speed) OVER (PARTITION BY origin ORDER BY time_hour) AS s, month FROM t";
    assert_eq!(
        columns(sql).await,
        [
            "s: t.origin TRANSFORMATION, t.time_hour TRANSFORMATION, t.wind_speed TRANSFORMATION",
            "month: t.month IDENTITY"
        ]
    );
    let rolled = columns("SELECT origin, month, max(wind_speed) AS m FROM t GROUP BY ROLLUP (origin, month)").await;
    assert_eq!(rolled[2], "m: t.month GROUP_BY, t.origin GROUP_BY, t.wind_speed AGGREGATION");
    let distinct = columns("SELECT DISTINCT ON (origin) wind_speed FROM t ORDER BY origin, time_hour").await;
    assert_eq!(distinct, ["wind_speed: t.origin GROUP_BY, t.time_hour GROUP_BY, t.wind_speed IDENTITY"]);
}

#[tokio::test]
async fn joins_unions_and_subqueries_are_followed() {
    let joined =
        columns("SELECT t.wind_speed, w.month FROM t LEFT JOIN w ON t.origin = w.origin AND t.month < w.month").await;
    assert_eq!(
        joined,
        [
            "wind_speed: t.month JOIN, t.origin JOIN, t.wind_speed IDENTITY, w.month JOIN, w.origin JOIN",
            "month: t.month JOIN, t.origin JOIN, w.month IDENTITY, w.origin JOIN",
        ]
    );
    let using = columns(
        "SELECT * FROM (SELECT origin, month FROM t) a JOIN (SELECT origin, wind_speed FROM w) b USING (origin)",
    )
    .await;
    assert_eq!(using[2], "wind_speed: t.origin JOIN, w.origin JOIN, w.wind_speed IDENTITY");
    let both = columns("SELECT origin, wind_speed AS x FROM t UNION ALL SELECT origin, CAST(month AS DOUBLE) FROM w WHERE wind_speed > 1").await;
    assert_eq!(both[1], "x: t.wind_speed IDENTITY, w.month TRANSFORMATION, w.wind_speed FILTER");
    let inner = columns("SELECT month, (SELECT max(wind_speed) FROM w) AS top FROM t WHERE origin IN (SELECT origin FROM w WHERE month = 1)").await;
    assert_eq!(inner[0], "month: t.month IDENTITY, t.origin FILTER, w.month FILTER, w.origin FILTER");
    assert_eq!(inner[1], "top: t.origin FILTER, w.month FILTER, w.origin FILTER, w.wind_speed AGGREGATION");
    let outer = columns("SELECT month FROM t WHERE EXISTS (SELECT 1 FROM w WHERE w.origin = t.origin)").await;
    assert_eq!(outer, ["month: t.month IDENTITY, t.origin FILTER, w.origin FILTER"]);
    let semi = columns("SELECT wind_speed FROM t LEFT SEMI JOIN w ON t.month = w.month").await;
    assert_eq!(semi, ["wind_speed: t.month JOIN, t.wind_speed IDENTITY, w.month JOIN"]);
    let semi = columns("SELECT wind_speed FROM t RIGHT ANTI JOIN w ON t.month = w.month").await;
    assert_eq!(semi, ["wind_speed: t.month JOIN, w.month JOIN, w.wind_speed IDENTITY"]);
}

#[tokio::test]
async fn what_cannot_be_planned_is_refused_as_when_it_is_run() {
    let site = site().await;
    let error = site.lake.columns(&tables(), "SELECT nothing FROM t").await.unwrap_err();
    assert!(matches!(error, QueryError::MissingColumn { .. }), "{error}");
    assert!(matches!(site.lake.columns(&tables(), "DROP TABLE t").await, Err(QueryError::NotASelect { .. })));
}
