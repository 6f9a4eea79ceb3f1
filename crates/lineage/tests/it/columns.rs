//! Columns on a real database: what stands on one, and what does not.

use bedplate_lineage::{
    Bounds, ColumnEdge, How, Impact, LineageError, Named, column_downstream, column_upstream, columns_between, impact,
    lead, link, link_column, retire,
};
use bedplate_types::Timestamp;

use crate::{edge, node, open};

fn column(from: &str, to: &str, how: How) -> ColumnEdge {
    ColumnEdge { from: node(from), to: node(to), how, by: "run:1".into(), at: Timestamp::from_micros(5) }
}

const SNAPSHOT: &str = "snapshot:sha256:abababababababababababababababababababababababababababababababab";

/// flights.arr_delay is a feature's value and a label; flights.dep_delay decides when the feature is known; flights.year is
/// of no use; temp is a feature of another view.
fn built() -> (tempfile::TempDir, bedplate_db::Db) {
    let (folder, db) = open();
    let columns = [
        ("column:table:f/flights@0#arr_delay", "feature:f/history@d2#last", How::Identity),
        ("column:table:f/flights@0#dep_delay", "feature:f/history@d2#last", How::Window),
        ("column:table:f/flights@0#dep_delay", "feature:f/history@d1#last", How::Identity),
        ("column:table:f/weather@0#temp", "feature:f/weather@d#temp", How::Identity),
        ("column:table:f/flights@0#year", "column:table:f/years@0#year", How::Identity),
        ("feature:f/history@d2#last", "column:SNAPSHOT#feature.history__last", How::Identity),
        ("column:table:f/flights@0#arr_delay", "column:SNAPSHOT#late", How::Transformation),
        ("feature:f/weather@d#temp", "column:SNAPSHOT#feature.weather__temp", How::Identity),
        ("column:SNAPSHOT#feature.history__last", "column:model:f/late@1#history__last", How::Identity),
        ("column:SNAPSHOT#feature.weather__temp", "column:model:f/late@1#weather__temp", How::Identity),
        ("column:SNAPSHOT#feature.weather__temp", "column:model:f/warm@1#weather__temp", How::Identity),
    ];
    let edges = [
        (SNAPSHOT, "recipe:f/late"),
        (SNAPSHOT, "monitor:f/december"),
        ("model:f/late@1", "endpoint:f/late"),
        ("model:f/warm@1", "endpoint:f/warm"),
    ];
    db.write(move |tx| {
        for (from, to, how) in columns {
            link_column(tx, &column(&from.replace("SNAPSHOT", SNAPSHOT), &to.replace("SNAPSHOT", SNAPSHOT), how))?;
        }
        edges.iter().try_for_each(|(from, to)| link(tx, &edge(from, to)))?;
        lead(tx, &Named::new("view", "f", "history"), &node("view:f/history@d2"))?;
        lead(tx, &Named::new("endpoint", "f", "late"), &node("model:f/late@1"))
    })
    .unwrap();
    (folder, db)
}

fn told(found: &Impact) -> Vec<String> {
    let word = |direct| if direct { "" } else { " indirectly" };
    found.dependants.all().map(|(sort, one)| format!("{sort} {}{}", one.name, word(one.direct))).collect()
}

fn of(db: &bedplate_db::Db, table: &str, column: Option<&str>) -> Impact {
    db.read(|tx| impact(tx, "f", table, column, Bounds::default())).unwrap()
}

#[test]
fn names_what_stands_on_a_column_and_nothing_else() {
    let (_folder, db) = built();
    let whole = ["feature history.last", "recipe late", "model late@1", "endpoint late", "monitor december"];
    assert_eq!(told(&of(&db, "flights", Some("arr_delay"))), whole);
    let indirect: Vec<String> = whole.iter().map(|one| format!("{one} indirectly")).collect();
    assert_eq!(told(&of(&db, "flights", Some("dep_delay"))), indirect, "the old definition's feature does not count");
    assert!(of(&db, "flights", Some("year")).dependants.is_empty());
    let temp = of(&db, "weather", Some("temp"));
    assert_eq!(
        told(&temp),
        [
            "feature weather.temp",
            "recipe late",
            "model late@1",
            "model warm@1",
            "endpoint late",
            "endpoint warm",
            "monitor december"
        ]
    );
    assert!(temp.graph.columns.iter().all(|edge| !edge.to.to_string().contains("history")));
    assert_eq!(told(&of(&db, "flights", None)), whole, "the whole table is all its columns");
    let error = db.read(|tx| impact(tx, "f", "flights", Some("nothing"), Bounds::default())).unwrap_err();
    assert!(matches!(&error, LineageError::UnknownColumn { column: Some(name), .. } if name == "nothing"), "{error}");
}

#[test]
fn what_moved_on_or_is_gone_stands_on_nothing() {
    let (_folder, db) = built();
    db.write(|tx| {
        lead(tx, &Named::new("endpoint", "f", "late"), &node("model:f/late@2"))?;
        retire(tx, &Named::new("monitor", "f", "december"))?;
        retire(tx, &Named::new("model", "f", "warm"))
    })
    .unwrap();
    assert_eq!(told(&of(&db, "weather", Some("temp"))), ["feature weather.temp", "recipe late", "model late@1"]);
}

#[test]
fn the_closer_way_stays_and_the_same_edge_again_changes_nothing() {
    let (_folder, db) = open();
    for how in [How::Filter, How::Aggregation, How::Aggregation, How::Join] {
        let edge = column("column:table:f/a@1#x", "feature:f/v@d#y", how);
        db.write(move |tx| link_column(tx, &edge)).unwrap();
    }
    let (nodes, edges, cut) = db.read(|tx| column_upstream(tx, &[node("feature:f/v@d#y")], Bounds::default())).unwrap();
    assert_eq!((nodes.len(), edges.len(), edges[0].how, cut), (2, 1, How::Aggregation, None));
    let wrong = ColumnEdge { to: node("table:f/a@1"), ..edges[0].clone() };
    assert!(matches!(db.write(move |tx| link_column(tx, &wrong)), Err(LineageError::NotAColumn(_))));
    let between = db.read(|tx| columns_between(tx, &[node("table:f/a@1"), node("view:f/v@d")])).unwrap();
    assert_eq!(between, edges);
    assert!(db.read(|tx| columns_between(tx, &[node("table:f/a@2"), node("view:f/v@d")])).unwrap().is_empty());
}

#[test]
fn a_walk_is_cut_in_depth_and_nodes_and_says_which() {
    let (_folder, db) = built();
    let start = [node("column:table:f/flights@0#arr_delay")];
    let walk = |nodes, depth| {
        let (nodes, edges, cut) = db.read(|tx| column_downstream(tx, &start, Bounds { nodes, depth })).unwrap();
        (nodes.len(), edges.len(), cut)
    };
    assert_eq!(walk(100, 100), (5, 4, None));
    assert_eq!(walk(100, 1), (3, 2, Some("the walk was cut 1 steps away: there is more behind".into())));
    assert_eq!(walk(2, 100), (2, 1, Some("the walk was cut at 2 nodes: the farthest are missing".into())));
    let cut = db.read(|tx| impact(tx, "f", "flights", Some("arr_delay"), Bounds { nodes: 100, depth: 1 })).unwrap();
    assert!(cut.graph.truncated && cut.graph.cut.is_some());
}

#[test]
fn the_same_sql_runs_on_postgresql() {
    let Some(server) = bedplate_testkit::Postgres::shared("lineage on PostgreSQL") else { return };
    let db = bedplate_db::Db::connect(&server.database(), bedplate_lineage::MIGRATIONS).unwrap();
    db.write(|tx| {
        link_column(tx, &column("column:table:f/a@1#x", "feature:f/v@d#y", How::Filter))?;
        link_column(tx, &column("column:table:f/a@1#x", "feature:f/v@d#y", How::Identity))?;
        lead(tx, &Named::new("view", "f", "v"), &node("view:f/v@d"))?;
        link(tx, &edge("run:1", "run:2"))
    })
    .unwrap();
    assert_eq!(told(&of(&db, "a", Some("x"))), ["feature v.y"]);
    assert_eq!(db.read(|tx| bedplate_lineage::upstream(tx, &node("run:2"))).unwrap().nodes.len(), 2);
    assert_eq!(db.read(|tx| columns_between(tx, &[node("table:f/a@1"), node("view:f/v@d")])).unwrap().len(), 1);
}
