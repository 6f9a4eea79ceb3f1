//! The same statements here and on a scheduler with two executors: the same rows, in the same order where one is asked for.

use std::time::{Duration, Instant};

use bedplate_query::Limits;
use bedplate_types::{ErrorKind, Explained};

use super::lake::{Site, guarded, open, rows};
use super::scheduler;

/// Each with `ORDER BY` at its end is compared in order.
const GOLDEN: &[&str] = &[
    "SELECT 1 AS n, 'x' AS x, NULL AS nothing",
    "SELECT * FROM people",
    "SELECT count(*) AS n, count(person) AS persons, count(cost) AS costs FROM visits",
    "SELECT count(*) AS n, sum(visit) AS s, min(cost) AS a, max(cost) AS b, avg(visit) AS m FROM visits",
    "SELECT ward, count(*) AS n, sum(cost) AS cost, avg(cost) AS mean FROM visits GROUP BY ward ORDER BY ward NULLS FIRST",
    "SELECT ward, person, count(*) AS n FROM visits GROUP BY ward, person",
    "SELECT ward, count(*) AS n FROM visits GROUP BY ward HAVING count(*) > 2500",
    "SELECT ward, person, sum(visit) AS s FROM visits GROUP BY GROUPING SETS ((ward), (person), ())",
    "SELECT ward, count(*) FILTER (WHERE cost > 50) AS dear FROM visits GROUP BY ward",
    "SELECT count(DISTINCT ward) AS wards, count(DISTINCT person) AS persons FROM visits",
    "SELECT stddev(visit) AS s, median(visit) AS m, bit_and(visit) AS b FROM visits WHERE visit < 100",
    "SELECT array_agg(visit ORDER BY visit) AS all FROM visits WHERE visit < 20 GROUP BY ward",
    "SELECT DISTINCT ward FROM visits",
    "SELECT DISTINCT ward, person FROM visits WHERE cost IS NULL",
    "SELECT DISTINCT ON (ward) ward, visit FROM visits ORDER BY ward, visit DESC",
    "SELECT * FROM visits ORDER BY visit DESC LIMIT 10",
    "SELECT * FROM visits ORDER BY cost NULLS LAST, visit LIMIT 7 OFFSET 100",
    "SELECT visit FROM visits WHERE visit BETWEEN 10 AND 30 ORDER BY visit",
    "SELECT ward, visit FROM visits ORDER BY ward DESC NULLS LAST, visit ASC LIMIT 1000",
    "SELECT count(*) AS n FROM (SELECT * FROM visits LIMIT 100)",
    "SELECT visit FROM visits WHERE ward IN ('north', 'east') AND cost IS NOT NULL AND person <> 3 AND visit < 200",
    "SELECT visit FROM visits WHERE visit < 0",
    "SELECT count(*) AS n, sum(cost) AS c FROM visits WHERE visit < 0",
    "SELECT name, ward, count(*) AS n FROM people JOIN visits ON id = person GROUP BY name, ward",
    "SELECT name, count(visit) AS n FROM people LEFT JOIN visits ON id = person AND visit < 3 GROUP BY name ORDER BY name",
    "SELECT person, count(*) AS n FROM people RIGHT JOIN visits ON id = person WHERE id IS NULL GROUP BY person",
    "SELECT name FROM people WHERE id IN (SELECT person FROM visits)",
    "SELECT name FROM people WHERE id NOT IN (SELECT person FROM visits WHERE person IS NOT NULL AND person < 3)",
    "SELECT name FROM people WHERE id NOT IN (SELECT person FROM visits)",
    "SELECT name FROM people p WHERE EXISTS (SELECT 1 FROM visits v WHERE v.person = p.id AND v.cost > 99)",
    "SELECT count(*) AS n FROM visits v WHERE NOT EXISTS (SELECT 1 FROM people p WHERE v.person = p.id)",
    "SELECT a.name, b.name AS other FROM people a JOIN people b ON a.age < b.age",
    "SELECT a.name, b.name AS other FROM people a LEFT JOIN people b ON a.age < b.age",
    "SELECT a.name, b.name AS other FROM people a FULL JOIN people b ON a.age < b.age AND b.id > 2",
    "SELECT a.name, count(v.visit) AS n FROM people a LEFT JOIN visits v ON a.age < v.visit AND v.visit < 50 GROUP BY a.name",
    "SELECT count(*) AS n FROM people a CROSS JOIN visits b",
    "SELECT a.ward, count(*) AS n FROM visits a JOIN visits b ON a.visit = b.visit + 1 GROUP BY a.ward",
    "SELECT visit, cost FROM visits WHERE cost = (SELECT max(cost) FROM visits)",
    "SELECT name, (SELECT sum(cost) FROM visits WHERE person = id) AS cost FROM people ORDER BY name",
    "SELECT name, n FROM people, LATERAL (SELECT count(*) AS n FROM visits WHERE person = id) AS v",
    "SELECT visit, row_number() OVER (PARTITION BY ward ORDER BY visit) AS r FROM visits WHERE visit < 50",
    "SELECT visit, sum(cost) OVER (ORDER BY visit ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS s FROM visits ORDER BY visit LIMIT 50",
    "SELECT visit, sum(visit) OVER (ORDER BY visit) AS s, lag(visit) OVER (ORDER BY visit) AS l FROM visits ORDER BY visit DESC LIMIT 20",
    "SELECT ward, visit, rank() OVER (PARTITION BY ward ORDER BY cost DESC NULLS LAST, visit) AS r FROM visits QUALIFY r <= 3",
    "SELECT count(*) AS n, sum(s) AS s FROM (SELECT sum(visit) OVER (PARTITION BY person) AS s FROM visits)",
    "SELECT visit FROM visits WHERE visit < 5 UNION SELECT id FROM people",
    "SELECT visit FROM visits WHERE visit < 5 UNION ALL SELECT id FROM people",
    "SELECT visit FROM visits WHERE visit < 5 UNION ALL SELECT 1 UNION SELECT NULL",
    "SELECT ward, count(*) AS n FROM visits GROUP BY ward UNION ALL SELECT 'none', 0 UNION ALL SELECT name, id FROM people WHERE false",
    "SELECT 'people' AS t, count(*) AS n FROM people UNION ALL SELECT 'visits', count(*) FROM visits ORDER BY t",
    "SELECT p.id, k.n FROM people p JOIN (SELECT count(*) AS n FROM people UNION ALL SELECT 2) k ON p.id <= k.n",
    "SELECT person FROM visits EXCEPT SELECT id FROM people",
    "SELECT person FROM visits INTERSECT SELECT id FROM people",
    "WITH dear AS (SELECT * FROM visits WHERE cost > 90) SELECT a.ward, count(*) AS n FROM dear a JOIN dear b ON a.person = b.person GROUP BY 1",
    "SELECT v.n, p.name FROM (VALUES (1), (3), (9)) AS v (n) LEFT JOIN people p ON p.id = v.n",
    "SELECT a.person, b.visit, count(*) AS n FROM visits a JOIN visits b ON a.visit = b.visit + 2 WHERE a.visit < 9 AND b.visit < 9 GROUP BY 1, 2",
    "SELECT a.name, b.age, count(*) AS n FROM people a JOIN people b ON a.id = b.id + 2 GROUP BY 1, 2",
    "SELECT a.name, b.age, count(*) AS n FROM people a LEFT JOIN people b ON a.id = b.id + 2 GROUP BY 1, 2",
    "SELECT a.name, b.age, count(*) AS n FROM people a FULL JOIN people b ON a.id = b.id + 2 AND a.age < b.age GROUP BY 1, 2",
    "SELECT a.name, v.ward, count(*) AS n FROM people a FULL JOIN visits v ON a.id = v.person AND v.cost < 20 GROUP BY 1, 2",
    "SELECT id, person, count(*) AS n FROM people FULL JOIN visits ON id = person AND cost < 20 GROUP BY id, person",
    "SELECT coalesce(ward, 'none') AS w, CASE WHEN cost > 50 THEN 'dear' WHEN cost IS NULL THEN 'free' ELSE 'cheap' END AS c, count(*) AS n FROM visits GROUP BY 1, 2",
    "SELECT upper(name) AS u, substr(region, 1, 2) AS r, length(email) AS l, sha256(name) IS NULL AS h FROM people ORDER BY id",
    "SELECT date_trunc('day', TIMESTAMP '2026-01-31 08:00:00') AS d, count(*) AS n FROM visits GROUP BY 1",
    "SELECT count(*) AS n FROM visits FOR VERSION AS OF 0",
    "SELECT (SELECT count(*) FROM visits) - count(*) AS more FROM visits VERSION AS OF 0",
    "SELECT ward, count(*) AS n FROM visits v WHERE visit NOT IN (SELECT visit FROM visits VERSION AS OF 0) GROUP BY ward",
    "SELECT ward, count(*) AS n, sum(visit) AS s FROM visits_by_ward GROUP BY ward",
    "SELECT visit, ward FROM visits_by_ward WHERE ward = 'east' AND visit < 50",
    "SELECT visit FROM visits_by_ward WHERE ward IS NULL AND visit < 50",
    "SELECT a.ward, count(*) AS n FROM visits_by_ward a JOIN visits b ON a.visit = b.visit AND a.ward = b.ward GROUP BY a.ward",
    "DESCRIBE people",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_answers_what_this_process_answers() {
    let site = Site::new().await;
    let nodes = scheduler().with_executors(2, site.root());
    let here = site.reader(None, Limits::default());
    let limits = Limits { time: Duration::from_secs(30), ..Limits::default() };
    let there = site.reader(Some(nodes.cluster()), limits);
    let mut wrong = Vec::new();
    for sql in GOLDEN {
        for (whose, tables) in [("open", open()), ("guarded", guarded())] {
            if whose == "guarded" && sql.contains("VERSION AS OF") {
                continue;
            }
            let expect = rows(&here, tables.clone(), sql).await;
            let began = Instant::now();
            let got = rows(&there, tables, sql).await;
            println!("{:6} ms {whose} {sql}", began.elapsed().as_millis());
            match (expect, got) {
                (Ok(mut expect), Ok(mut got)) => {
                    if !is_ordered(sql) {
                        expect.sort_unstable();
                        got.sort_unstable();
                    }
                    if expect != got {
                        wrong.push(format!("{whose} {sql}\n  here  {}\n  there {}", some(&expect), some(&got)));
                    }
                }
                (expect, got) => {
                    wrong.push(format!("{whose} {sql}\n  here  {:?}\n  there {:?}", expect.err(), got.err()))
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), 2 * GOLDEN.len(), wrong.join("\n"));
}

/// By an `ORDER BY` of the statement itself.
fn is_ordered(sql: &str) -> bool {
    sql.rsplit(')').next().is_some_and(|end| end.contains("ORDER BY"))
}

fn some(rows: &[String]) -> String {
    format!("{} rows: {}", rows.len(), rows.iter().take(6).cloned().collect::<Vec<_>>().join(" "))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_cluster_cannot_do_is_said() {
    let site = Site::new().await;
    let nodes = scheduler().with_executors(1, site.root());
    let there = site.reader(Some(nodes.cluster()), Limits::default());
    let recursive = "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT n FROM r";
    let unnest = "SELECT unnest([visit, person]) AS u FROM visits WHERE visit < 5";
    let analyse = "EXPLAIN ANALYZE SELECT * FROM people";
    for (sql, words) in [(analyse, "EXPLAIN ANALYZE"), (recursive, "WITH RECURSIVE"), (unnest, "unnest of a column")] {
        let refused = rows(&there, open(), sql).await.unwrap_err();
        assert!(refused.kind() == ErrorKind::Invalid && refused.to_string().contains(words), "{refused}");
    }
    let wide = format!("SELECT id FROM people WHERE id = 1{}", " OR id + id = 3".repeat(200));
    assert_eq!(rows(&there, open(), &wide).await.unwrap(), ["{\"id\":1}"]);
    let wrong = rows(&there, open(), "SELECT CAST(name AS INT) AS n FROM people").await.unwrap_err();
    assert!(wrong.kind() == ErrorKind::Invalid && wrong.to_string().contains("Ada"), "{wrong}");
    // A plan is told here, without a cluster, and tells of no files.
    let plan =
        rows(&there, open(), "EXPLAIN SELECT ward, count(*) FROM visits GROUP BY ward").await.unwrap().join("\n");
    assert!(plan.contains("DatasetScan: dataset=visits, version=1") && !plan.contains("parquet"), "{plan}");
}

/// What reading costs is what was read: as much as here, or less where fewer columns are.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_is_told_by_dataset() {
    let site = Site::new().await;
    let nodes = scheduler().with_executors(2, site.root());
    let sql = "SELECT name, sum(cost) AS c FROM people JOIN visits ON id = person GROUP BY name";
    let mut told = Vec::new();
    for cluster in [None, Some(nodes.cluster())] {
        let reader = site.reader(cluster, Limits::default());
        let (tell, bytes) = tokio::sync::oneshot::channel();
        let tables = open().into_iter().filter(|table| !table.table.contains('@')).collect();
        let request =
            bedplate_query::Request { namespace: "demo".into(), sql: sql.into(), tables, limit: None, engine: None };
        let answer = reader.run(request, move |bytes| drop(tell.send(bytes))).await.unwrap();
        let _: Vec<_> = futures::StreamExt::collect(answer).await;
        told.push(bytes.await.unwrap());
    }
    assert_eq!(told[0], told[1]);
    assert!(told[1]["visits"] > 1_000, "{told:?}");
}
