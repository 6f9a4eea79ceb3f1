//! bedplate's own lineage as events of OpenLineage 2-0-2.

use std::collections::{BTreeMap, BTreeSet};

use bedplate_lineage::{Graph, Node};
use bedplate_types::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::store::uuid_of;

const SPEC: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json";
const VERSION: &str = "https://openlineage.io/spec/facets/1-0-1/DatasetVersionDatasetFacet.json";

/// Who exports.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// A URI of the software that made the lineage: the `producer` of every event and facet.
    pub producer: &'a str,
    /// The namespace of what is in no namespace of bedplate: files, training sets, predictions.
    pub namespace: &'a str,
}

/// The graph as events, in the order of their times: `START` and `COMPLETE` for every step.
///
/// A step is a run with its causes and effects, or, where no run stands between, one effect with the causes that the same
/// maker made it from. Everything but a run is a dataset, `<sort>/<name>` with its version in the facet `version`; node, facts and
/// maker are in the facet `bedplate_node`. The same graph gives the same events, so sending them again adds nothing. An edge from
/// run to run, between which OpenLineage knows no dataset, is left out.
#[must_use]
pub fn export(graph: &Graph, origin: Origin<'_>) -> Vec<Value> {
    let facts: BTreeMap<&Node, &Value> = graph.nodes.iter().map(|(node, facts)| (node, facts)).collect();
    let mut events: Vec<(Timestamp, Value)> = Vec::new();
    for (key, step) in steps(graph) {
        for (kind, at) in [("START", step.first), ("COMPLETE", step.last)] {
            events.push((at, event(key, &step, kind, at, &facts, origin)));
        }
    }
    events.sort_by_key(|(at, _)| *at);
    events.into_iter().map(|(_, event)| event).collect()
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Run(&'a Node),
    Made { effect: &'a Node, by: &'a str },
}

struct Step<'a> {
    inputs: BTreeSet<&'a Node>,
    outputs: BTreeSet<&'a Node>,
    makers: BTreeSet<&'a str>,
    first: Timestamp,
    last: Timestamp,
}

fn steps(graph: &Graph) -> BTreeMap<Key<'_>, Step<'_>> {
    let mut steps = BTreeMap::new();
    for edge in &graph.edges {
        let (key, input, output) = match (&edge.from, &edge.to) {
            (Node::Run(_), Node::Run(_)) => continue,
            (Node::Run(_), effect) => (Key::Run(&edge.from), None, Some(effect)),
            (cause, Node::Run(_)) => (Key::Run(&edge.to), Some(cause), None),
            (cause, effect) => (Key::Made { effect, by: &edge.by }, Some(cause), Some(effect)),
        };
        let step = steps.entry(key).or_insert_with(|| Step {
            inputs: BTreeSet::new(),
            outputs: BTreeSet::new(),
            makers: BTreeSet::new(),
            first: edge.at,
            last: edge.at,
        });
        step.inputs.extend(input);
        step.outputs.extend(output);
        step.makers.insert(&edge.by);
        (step.first, step.last) = (step.first.min(edge.at), step.last.max(edge.at));
    }
    steps
}

fn event(
    key: Key<'_>,
    step: &Step<'_>,
    kind: &str,
    at: Timestamp,
    facts: &BTreeMap<&Node, &Value>,
    origin: Origin<'_>,
) -> Value {
    let datasets = |nodes: &BTreeSet<&Node>| -> Vec<Value> {
        nodes.iter().map(|node| dataset(node, facts.get(node).copied(), origin)).collect()
    };
    let (node, run_facts) = match key {
        Key::Run(node) => (node, facts.get(node).copied()),
        Key::Made { effect, .. } => (effect, None),
    };
    let (namespace, name) = job(key, run_facts, origin);
    let told = json!({ "node": node, "facts": run_facts, "madeBy": step.makers });
    json!({
        "eventType": kind,
        "eventTime": at,
        "producer": origin.producer,
        "schemaURL": format!("{SPEC}#/$defs/RunEvent"),
        "run": { "runId": run_id(key), "facets": { "bedplate_node": facet(told, "RunFacet", origin) } },
        "job": { "namespace": namespace, "name": name },
        "inputs": datasets(&step.inputs),
        "outputs": datasets(&step.outputs),
    })
}

/// The run's own id where it is a UUID; else one made of what it is.
fn run_id(key: Key<'_>) -> String {
    match key {
        Key::Run(Node::Run(id)) => {
            let id = id.to_string();
            Uuid::try_parse(&id).map_or_else(|_| uuid_of(&format!("run:{id}")), |uuid| uuid.to_string())
        }
        Key::Run(node) => uuid_of(&node.to_string()),
        Key::Made { effect, by } => uuid_of(&json!([effect, by]).to_string()),
    }
}

/// The job of a run is the workload its facts name; that of an effect is named after the effect.
fn job(key: Key<'_>, facts: Option<&Value>, origin: Origin<'_>) -> (String, String) {
    match key {
        Key::Made { effect, .. } => {
            let (namespace, name) = place(effect, origin);
            (namespace, format!("make/{name}"))
        }
        Key::Run(_) => {
            let workload = facts.and_then(|facts| facts.get("workload")).and_then(Value::as_str);
            let named = workload.and_then(|workload| workload.split_once('/'));
            named.map_or_else(
                || (origin.namespace.to_owned(), "run".to_owned()),
                |(namespace, name)| (namespace.to_owned(), format!("workload/{name}")),
            )
        }
    }
}

fn dataset(node: &Node, facts: Option<&Value>, origin: Origin<'_>) -> Value {
    let (namespace, name) = place(node, origin);
    let mut facets = json!({ "bedplate_node": facet(json!({ "node": node, "facts": facts }), "DatasetFacet", origin) });
    if let Some(version) = version(node) {
        facets["version"] = json!({ "_producer": origin.producer, "_schemaURL": VERSION, "datasetVersion": version });
    }
    json!({ "namespace": namespace, "name": name, "facets": facets })
}

fn facet(mut told: Value, of: &str, origin: Origin<'_>) -> Value {
    told["_producer"] = origin.producer.into();
    told["_schemaURL"] = format!("{SPEC}#/$defs/{of}").into();
    told
}

/// Namespace and name, without the version.
fn place(node: &Node, origin: Origin<'_>) -> (String, String) {
    let (namespace, name) = match node {
        Node::Table { namespace, name, .. }
        | Node::View { namespace, name, .. }
        | Node::Model { namespace, name, .. }
        | Node::Endpoint { namespace, name } => (namespace.clone(), name.clone()),
        Node::Source(digest) | Node::Snapshot(digest) => (origin.namespace.to_owned(), digest.to_string()),
        Node::Run(id) => (origin.namespace.to_owned(), id.to_string()),
        Node::Prediction(id) => (origin.namespace.to_owned(), id.to_string()),
    };
    (namespace, format!("{}/{name}", node.sort()))
}

fn version(node: &Node) -> Option<&str> {
    match node {
        Node::Table { version, .. } | Node::Model { version, .. } => Some(version),
        Node::View { digest, .. } => Some(digest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bedplate_lineage::Edge;
    use serde_json::value::RawValue;

    use super::*;
    use crate::event::Event;

    const ORIGIN: Origin<'_> = Origin { producer: "https://bedplate.example/v1", namespace: "bedplate://here" };

    fn graph(edges: &[(&str, &str, &str, i64)]) -> Graph {
        let edge = |(from, to, by, at): &(&str, &str, &str, i64)| Edge {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            by: (*by).to_owned(),
            at: Timestamp::from_micros(*at),
        };
        let edges: Vec<Edge> = edges.iter().map(edge).collect();
        let nodes: BTreeSet<Node> = edges.iter().flat_map(|edge| [edge.from.clone(), edge.to.clone()]).collect();
        let facts = |node: &Node| match node {
            Node::Run(_) => json!({ "workload": "flights/train" }),
            _ => Value::Null,
        };
        Graph { nodes: nodes.into_iter().map(|node| (node.clone(), facts(&node))).collect(), edges, truncated: false }
    }

    fn whole() -> Graph {
        let source = format!("source:sha256:{}", "ab".repeat(32));
        graph(&[
            (&source, "table:flights/weather@1", "system:controllers", 1),
            ("table:flights/weather@1", "view:flights/w@d", "system:controllers", 2),
            ("table:flights/planes@4", "view:flights/w@d", "system:controllers", 3),
            ("view:flights/w@d", "run:train-1", "system:controllers", 4),
            ("run:train-1", "model:flights/late@1", "train-1", 9),
            ("run:train-1", "run:train-2", "x", 9),
            ("model:flights/late@1", "endpoint:flights/late", "system:controllers", 10),
            ("endpoint:flights/late", "prediction:p/0", "e", 11),
        ])
    }

    #[test]
    fn every_event_is_what_the_specification_asks_for() {
        let events = export(&whole(), ORIGIN);
        assert_eq!(events.len(), 10, "five steps, each begun and completed");
        for event in &events {
            let read = Event::parse(&RawValue::from_string(event.to_string()).unwrap()).unwrap();
            assert_eq!(read.kind(), "RunEvent");
            assert!(!read.uses().is_empty());
        }
    }

    #[test]
    fn a_run_has_its_causes_and_effects_and_an_effect_without_one_its_own() {
        let events = export(&whole(), ORIGIN);
        let train =
            events.iter().find(|e| e["job"]["name"] == "workload/train" && e["eventType"] == "COMPLETE").unwrap();
        assert_eq!(
            (&train["job"]["namespace"], &train["eventTime"]),
            (&json!("flights"), &json!("1970-01-01T00:00:00.000009Z"))
        );
        assert_eq!(
            (&train["inputs"][0]["name"], &train["outputs"][0]["name"]),
            (&json!("view/w"), &json!("model/late"))
        );
        assert_eq!(train["outputs"][0]["facets"]["version"]["datasetVersion"], "1");
        assert_eq!(train["run"]["facets"]["bedplate_node"]["node"], "run:train-1");
        let view = events.iter().find(|e| e["job"]["name"] == "make/view/w").unwrap();
        let inputs: Vec<&Value> = view["inputs"].as_array().unwrap().iter().map(|input| &input["name"]).collect();
        assert_eq!(inputs, ["table/planes", "table/weather"]);
        let ids: BTreeSet<&str> = events.iter().map(|event| event["run"]["runId"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 5, "a run of its own for every step");
    }

    #[test]
    fn the_same_graph_gives_the_same_events() {
        assert_eq!(export(&whole(), ORIGIN), export(&whole(), ORIGIN));
        assert!(export(&Graph::default(), ORIGIN).is_empty());
    }

    #[test]
    fn a_run_that_has_a_uuid_keeps_it() {
        let id = "0192f2e4-7a5b-7000-8000-000000000001";
        let events = export(&graph(&[(&format!("run:{id}"), "model:f/m@1", "x", 1)]), ORIGIN);
        assert_eq!(events[0]["run"]["runId"], id);
    }
}
