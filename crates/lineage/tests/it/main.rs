//! The graph on a real database.

mod columns;

use bedplate_db::Db;
use bedplate_lineage::{
    Edge, Graph, LineageError, MAX_NODES, MIGRATIONS, Node, describe, downstream, facts, link, upstream,
};
use bedplate_types::Timestamp;
use serde_json::{Value, json};

/// A new database of the engine the tests of this process run on.
fn database(folder: &tempfile::TempDir) -> Db {
    match bedplate_testkit::postgres_database() {
        Some(url) => Db::connect(&url, MIGRATIONS).unwrap(),
        None => Db::open(&folder.path().join("it.db"), MIGRATIONS).unwrap(),
    }
}

pub fn open() -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().unwrap();
    let db = database(&folder);
    (folder, db)
}

pub fn node(text: &str) -> Node {
    text.parse().unwrap()
}

pub fn edge(from: &str, to: &str) -> Edge {
    Edge { from: node(from), to: node(to), by: "run:1".into(), at: Timestamp::from_micros(5) }
}

fn add(db: &Db, edges: &'static [(&str, &str)]) {
    db.write(|tx| edges.iter().try_for_each(|(from, to)| link(tx, &edge(from, to)))).unwrap();
}

fn names(graph: &Graph) -> Vec<String> {
    graph.nodes.iter().map(|(node, _)| node.to_string()).collect()
}

const PATH: &[(&str, &str)] = &[
    ("table:f/flights@1", "view:f/by-tail@d"),
    ("table:f/weather@2", "view:f/weather@d"),
    ("view:f/by-tail@d", "run:1"),
    ("view:f/weather@d", "run:1"),
    ("run:1", "model:f/late@1"),
    ("model:f/late@1", "endpoint:f/late"),
    ("endpoint:f/late", "prediction:p/0"),
    ("model:f/late@1", "prediction:p/0"),
];

#[test]
fn walks_from_a_prediction_to_its_tables_and_back() {
    let (_folder, db) = open();
    add(&db, PATH);
    let past = db.read(|tx| upstream(tx, &node("prediction:p/0"))).unwrap();
    assert_eq!((past.nodes.len(), past.edges.len(), past.truncated), (8, 8, false));
    assert_eq!(names(&past)[0], "prediction:p/0");
    let touched = db.read(|tx| downstream(tx, &node("table:f/weather@2"))).unwrap();
    assert_eq!(
        names(&touched),
        ["table:f/weather@2", "view:f/weather@d", "run:1", "model:f/late@1", "endpoint:f/late", "prediction:p/0"]
    );
    assert!(!touched.edges.iter().any(|edge| edge.from == node("view:f/by-tail@d")));
}

#[test]
fn linking_again_adds_nothing_and_keeps_the_first_time() {
    let (_folder, db) = open();
    add(&db, PATH);
    let late = Edge { at: Timestamp::from_micros(99), ..edge("run:1", "model:f/late@1") };
    let again = late.clone();
    db.write(move |tx| link(tx, &again)).unwrap();
    let other = Edge { by: "run:2".into(), ..late };
    db.write(move |tx| link(tx, &other)).unwrap();
    let graph = db.read(|tx| upstream(tx, &node("model:f/late@1"))).unwrap();
    let times: Vec<i64> =
        graph.edges.iter().filter(|e| e.to == node("model:f/late@1")).map(|e| e.at.micros()).collect();
    assert_eq!(times, [5, 99], "one edge for each maker");
}

#[test]
fn facts_add_up_and_the_last_word_counts() {
    let (_folder, db) = open();
    add(&db, &[("run:1", "model:f/late@1")]);
    for told in [json!({"auc": 0.7, "rows": 3}), json!({"auc": 0.76})] {
        db.write(move |tx| describe(tx, &node("model:f/late@1"), &told)).unwrap();
    }
    let graph = db.read(|tx| downstream(tx, &node("run:1"))).unwrap();
    assert_eq!(graph.nodes[0].1, Value::Null);
    assert_eq!(graph.nodes[1].1, json!({"auc": 0.76, "rows": 3}));
    assert_eq!(db.read(|tx| facts(tx, &node("run:9"))).unwrap(), None);
    let error = db.write(|tx| describe(tx, &node("run:1"), &json!([1]))).unwrap_err();
    assert!(matches!(error, LineageError::NotAnObject(_)));
}

#[test]
fn a_circle_ends_and_a_loop_is_refused() {
    let (_folder, db) = open();
    add(&db, &[("run:a", "run:b"), ("run:b", "run:c"), ("run:c", "run:a")]);
    let graph = db.read(|tx| upstream(tx, &node("run:a"))).unwrap();
    assert_eq!((graph.nodes.len(), graph.edges.len()), (3, 3));
    let error = db.write(|tx| link(tx, &edge("run:a", "run:a"))).unwrap_err();
    assert_eq!(error.to_string(), "run:a cannot come from itself");
}

#[test]
fn an_unknown_node_stands_alone() {
    let (_folder, db) = open();
    let graph = db.read(|tx| upstream(tx, &node("run:nobody"))).unwrap();
    assert_eq!((names(&graph), graph.edges.len()), (vec!["run:nobody".to_owned()], 0));
}

#[test]
fn a_walk_is_bounded_and_says_so() {
    let (_folder, db) = open();
    db.write(|tx| (0..MAX_NODES + 5).try_for_each(|i| link(tx, &edge("model:f/late@1", &format!("prediction:{i}")))))
        .unwrap();
    let graph = db.read(|tx| downstream(tx, &node("model:f/late@1"))).unwrap();
    assert_eq!((graph.nodes.len(), graph.edges.len(), graph.truncated), (MAX_NODES, MAX_NODES - 1, true));
}

#[test]
fn is_written_as_json_and_as_dot() {
    let (_folder, db) = open();
    add(&db, &[("run:\"1\"", "model:f/late@1")]);
    let graph = db.read(|tx| downstream(tx, &node("run:\"1\""))).unwrap();
    assert_eq!(
        serde_json::to_value(&graph).unwrap(),
        json!({
            "nodes": [
                {"id": "run:\"1\"", "sort": "run", "facts": null},
                {"id": "model:f/late@1", "sort": "model", "facts": null},
            ],
            "edges": [{"from": "run:\"1\"", "to": "model:f/late@1", "by": "run:1", "at": "1970-01-01T00:00:00.000005Z"}],
            "truncated": false,
        })
    );
    let dot = graph.to_dot();
    assert!(dot.starts_with("digraph lineage {") && dot.ends_with("}\n"));
    assert!(dot.contains(r#""run:\"1\"" -> "model:f/late@1" [tooltip="run:1"];"#), "{dot}");
    assert!(dot.contains(r#""model:f/late@1" [label="model\nf/late@1"];"#), "{dot}");
}

#[test]
fn everything_once_more_on_postgres() {
    bedplate_testkit::suite_on_postgres(&["everything_once_more_on_postgres"]);
}

const ONE: &str = "snapshot:sha256:abababababababababababababababababababababababababababababababab";
const TWO: &str = "snapshot:sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd";

#[test]
fn the_versions_that_training_sets_were_made_of_are_pinned() {
    let (_folder, db) = open();
    add(
        &db,
        &[
            ("table:f/flights@0", "table:f/flights@1"),
            ("table:f/flights@1", "view:f/by-tail@d"),
            ("table:f/flights@2", "view:f/by-tail@d"),
            ("table:f/flights@2", ONE),
            ("view:f/by-tail@d", ONE),
            ("table:f/flights@3", "view:f/other@d"),
            ("table:f/weather@4", TWO),
            ("table:g/flights@4", TWO),
        ],
    );
    let pinned = |versions: &[i64]| db.read(|tx| bedplate_lineage::pinned(tx, "f", "flights", versions)).unwrap();
    let all = [0, 1, 2, 3, 4];
    assert_eq!(pinned(&all), [2].into(), "what a view was made of at other times is not what a model was made of");
    add(&db, &[("view:f/other@d", TWO)]);
    assert_eq!(pinned(&all), [2, 3].into(), "a training set that does not tell pins what its views were ever made of");
    assert_eq!(pinned(&[]), [].into());
}
