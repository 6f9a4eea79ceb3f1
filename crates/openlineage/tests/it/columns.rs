//! Columns of bedplate's own tables, as Marquez is asked for them; and the facet, held against openlineage-python's own.

use std::process::Command;

use axum::http::StatusCode;
use bedplate_lineage::{ColumnEdge, Graph, How, link_column};
use bedplate_openlineage::{Origin, export};
use bedplate_testkit::{not_run, python};
use bedplate_types::Timestamp;
use serde_json::{Value, json};

use crate::Server;

const SET: &str = "snapshot:sha256:abababababababababababababababababababababababababababababababab";

fn edges() -> Vec<ColumnEdge> {
    let edge = |from: &str, to: &str, how| ColumnEdge {
        from: from.replace("SET", SET).parse().unwrap(),
        to: to.replace("SET", SET).parse().unwrap(),
        how,
        by: "system:controllers".into(),
        at: Timestamp::from_micros(5),
    };
    vec![
        edge("column:table:flights/weather@1#temp", "feature:flights/w@d#temp", How::Aggregation),
        edge("column:table:flights/weather@2#temp", "feature:flights/w@d#temp", How::Aggregation),
        edge("column:table:flights/weather@2#time", "feature:flights/w@d#temp", How::Window),
        edge("feature:flights/w@d#temp", "column:SET#feature.w__temp", How::Identity),
        edge("column:SET#feature.w__temp", "column:model:flights/late@1#w__temp", How::Identity),
    ]
}

fn server() -> Server {
    let server = Server::start();
    server.db.write(|tx| edges().iter().try_for_each(|edge| link_column(tx, edge))).unwrap();
    server
}

fn ids(told: &Value) -> Vec<&str> {
    told["graph"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_platforms_own_columns_are_answered_for() {
    let server = server();
    let told = server.get("/api/v1/column-lineage?nodeId=datasetField:flights:view/w:temp&withDownstream=true").await;
    let set = format!("datasetField:bedplate://local:snapshot/{}:feature.w__temp", &SET[9..]);
    assert_eq!(
        ids(&told),
        [
            set.as_str(),
            "datasetField:flights:model/late:w__temp",
            "datasetField:flights:table/weather:temp",
            "datasetField:flights:table/weather:time",
            "datasetField:flights:view/w:temp",
        ]
    );
    let view = &told["graph"][4]["data"];
    assert_eq!(view["inputFields"].as_array().unwrap().len(), 2, "two versions of a table are one place: {view}");
    assert_eq!(view["inputFields"][0]["transformationType"], "AGGREGATION");
    let hidden =
        server.get_as(&server.viewer, "/api/v1/column-lineage?nodeId=dataset:flights:view/w&withDownstream=true").await;
    let seen = hidden.json();
    assert_eq!((hidden.status, ids(&seen).len()), (StatusCode::OK, 3), "what lies beyond the namespace is not shown");
    let stranger = server.get_as(&server.stranger, "/api/v1/column-lineage?nodeId=dataset:flights:view/w").await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);
}

#[test]
fn the_facet_is_what_openlineage_python_makes_of_it() {
    let Some(python) = python() else {
        return not_run("the columnLineage facet against openlineage-python: no Python environment");
    };
    let graph = Graph { columns: edges(), ..Graph::default() };
    let events = export(&graph, Origin { producer: "https://bedplate.example/v1", namespace: "bedplate://here" });
    let facets: Vec<&Value> = events
        .iter()
        .flat_map(|event| event["outputs"].as_array().unwrap())
        .map(|output| &output["facets"]["columnLineage"])
        .collect();
    assert_eq!(facets.len(), 6, "three steps, begun and completed");
    let run = |facets: &Value| {
        let script = include_str!("columns.py");
        Command::new(&python).arg("-c").arg(script).arg(facets.to_string()).output().expect("python starts")
    };
    let output = run(&json!(facets));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let read: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read.iter().collect::<Vec<_>>(), facets, "read and written again it is the same");
    let mut wrong = json!(facets);
    wrong[0]["fields"]["temp"]["inputFields"][0].as_object_mut().unwrap().remove("field");
    assert!(!run(&wrong).status.success(), "the check can fail");
}

#[test]
fn the_columns_of_both_kinds_are_read_on_postgresql() {
    let Some(server) = bedplate_testkit::Postgres::shared("column lineage on PostgreSQL") else { return };
    let migrations = [bedplate_lineage::MIGRATIONS, bedplate_openlineage::MIGRATIONS].concat();
    let db = bedplate_db::Db::connect(&server.database(), &migrations).unwrap();
    db.write(|tx| edges().iter().try_for_each(|edge| link_column(tx, edge))).unwrap();
    let sql = "SELECT dataset, field, of_field, description, transformation FROM openlineage_all_columns
               WHERE namespace = $1 AND dataset = $2 ORDER BY of_field";
    let rows = db.read(|tx| tx.query(sql, &["flights".into(), "view/w".into()])).unwrap();
    assert_eq!(rows.len(), 2, "two versions of a table are one place");
    assert_eq!((rows[1].text(2).unwrap(), rows[1].text(4).unwrap()), ("time", "WINDOW"));
}
