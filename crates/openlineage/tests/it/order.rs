//! Whatever order events come in, and however often, they end in the same rows.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{Server, dataset, event, with_schema};

/// Every table but the audit log and the moments at which events came.
const TABLES: [&str; 12] = [
    "SELECT digest, at, kind, bytes, body FROM openlineage_events",
    "SELECT * FROM openlineage_event_scopes",
    "SELECT * FROM openlineage_namespaces",
    "SELECT * FROM openlineage_jobs",
    "SELECT * FROM openlineage_runs",
    "SELECT * FROM openlineage_datasets",
    "SELECT * FROM openlineage_versions",
    "SELECT * FROM openlineage_io",
    "SELECT * FROM openlineage_run_io",
    "SELECT * FROM openlineage_columns",
    "SELECT * FROM openlineage_facets",
    "SELECT COUNT(*) FROM audit_leaves",
];

fn used() -> impl Strategy<Value = Value> {
    (0..2u32, 0..2u32, prop::option::of(0..3u32), prop::option::of(0..2u32)).prop_map(|(namespace, name, schema, column)| {
        let mut told = dataset(["flights", "s3://b"][namespace as usize], &format!("d{name}"));
        if let Some(n) = schema {
            told = with_schema(told, &[("x", ["INT", "BIGINT", "TEXT"][n as usize])]);
        }
        if let Some(n) = column {
            let input = json!({ "namespace": "flights", "name": "d0", "field": "k", "transformations": [{ "type": format!("T{n}") }] });
            told["facets"]["columnLineage"] = json!({ "fields": { "x": { "inputFields": [input] } } });
        }
        told["inputFacets"] = json!({ "seen": { "n": name } });
        told
    })
}

/// Few times, runs, jobs and values, so that events contradict each other at one time.
fn events() -> impl Strategy<Value = Vec<Value>> {
    let kinds = prop::sample::select(vec!["START", "RUNNING", "COMPLETE", "FAIL", "ABORT", "OTHER"]);
    let sides = (prop::collection::vec(used(), 0..3), prop::collection::vec(used(), 0..3));
    let one = (kinds, 0..3u32, 0..2u32, 0..2u32, 0..3u32, sides).prop_map(
        |(kind, second, id, job, facet, (inputs, outputs))| {
            let mut told = event(kind, second, id, &format!("j{job}"), &inputs, &outputs);
            told["job"]["facets"] =
                if facet == 0 { json!({ "f": { "_deleted": true } }) } else { json!({ "f": { "n": facet } }) };
            told["run"]["facets"] = json!({ "r": { "n": facet } });
            told
        },
    );
    prop::collection::vec(one, 1..8)
}

fn rows_after(runtime: &Runtime, events: &[Value]) -> Vec<String> {
    let server = Server::start();
    let reply =
        runtime.block_on(server.post(&server.admin, "/api/v1/lineage/batch", Value::from(events.to_vec()).to_string()));
    assert_eq!(reply.json()["status"], "success", "{}", reply.text);
    let dump = |sql: &str| {
        let rows =
            server.db.read(|tx| tx.query(sql, &[])).unwrap_or_else(|error: bedplate_db::DbError| panic!("{error}"));
        let mut rows: Vec<String> = rows.iter().map(|row| format!("{sql}: {row:?}")).collect();
        rows.sort();
        rows
    };
    TABLES.iter().flat_map(|sql| dump(sql)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_any_repetition_end_in_the_same_state(
        events in events(),
        keys in prop::collection::vec(any::<u32>(), 8),
        again in prop::collection::vec(any::<Index>(), 0..6),
    ) {
        let runtime = Runtime::new().unwrap();
        let mut other: Vec<Value> = events.clone();
        other.extend(again.iter().map(|index| index.get(&events).clone()));
        let mut keyed: Vec<(u32, Value)> =
            other.into_iter().enumerate().map(|(i, event)| (keys[i % 8].rotate_left(i as u32), event)).collect();
        keyed.sort_by_key(|(key, _)| *key);
        let other: Vec<Value> = keyed.into_iter().map(|(_, event)| event).collect();
        prop_assert_eq!(rows_after(&runtime, &events), rows_after(&runtime, &other));
    }
}
