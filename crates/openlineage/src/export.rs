//! bedplate's own lineage as events of OpenLineage 2-0-2.

use std::collections::{BTreeMap, BTreeSet};

use bedplate_lineage::{ColumnEdge, Graph, Node};
use bedplate_types::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::store::uuid_of;

const SPEC: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json";
const COLUMNS: &str =
    "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet";
const ASSERTIONS: &str = "https://openlineage.io/spec/facets/1-0-1/DataQualityAssertionsDatasetFacet.json\
    #/$defs/DataQualityAssertionsDatasetFacet";
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
/// maker are in the facet `bedplate_node`, and what its columns were made of in the facet `columnLineage`. The same graph gives the same events, so sending them again adds nothing. An edge from
/// run to run, between which OpenLineage knows no dataset, is left out.
#[must_use]
pub fn export(graph: &Graph, origin: Origin<'_>) -> Vec<Value> {
    let told = Told {
        facts: graph.nodes.iter().map(|(node, facts)| (node, facts)).collect(),
        columns: by_owner(&graph.columns),
        origin,
    };
    let mut events: Vec<(Timestamp, Value)> = Vec::new();
    for (key, step) in &steps(graph) {
        for (kind, at) in [("START", step.first), ("COMPLETE", step.last)] {
            events.push((at, told.event(key, step, kind, at)));
        }
    }
    events.sort_by_key(|(at, _)| *at);
    events.into_iter().map(|(_, event)| event).collect()
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Run(Node),
    Made { effect: Node, by: String },
}

struct Step {
    inputs: BTreeSet<Node>,
    outputs: BTreeSet<Node>,
    makers: BTreeSet<String>,
    first: Timestamp,
    last: Timestamp,
}

fn steps(graph: &Graph) -> BTreeMap<Key, Step> {
    let mut steps = BTreeMap::new();
    for edge in &graph.edges {
        let (key, input, output) = match (&edge.from, &edge.to) {
            (Node::Run(_), Node::Run(_)) => continue,
            (Node::Run(_), effect) => (Key::Run(edge.from.clone()), None, Some(effect.clone())),
            (cause, Node::Run(_)) => (Key::Run(edge.to.clone()), Some(cause.clone()), None),
            (cause, effect) => (made(effect, &edge.by), Some(cause.clone()), Some(effect.clone())),
        };
        add(&mut steps, key, (input, output), &edge.by, edge.at);
    }
    let written: BTreeSet<Node> = steps.values().flat_map(|step| step.outputs.iter().cloned()).collect();
    for edge in &graph.columns {
        // Where the graph is one of columns alone, what they are columns of is what was made.
        let (Some(cause), Some(effect)) = (edge.from.owner(), edge.to.owner()) else { continue };
        if !written.contains(&effect) {
            add(&mut steps, made(&effect, &edge.by), (Some(cause), Some(effect)), &edge.by, edge.at);
        }
    }
    steps
}

fn made(effect: &Node, by: &str) -> Key {
    Key::Made { effect: effect.clone(), by: by.to_owned() }
}

fn add(
    steps: &mut BTreeMap<Key, Step>,
    key: Key,
    (input, output): (Option<Node>, Option<Node>),
    by: &str,
    at: Timestamp,
) {
    let step = steps.entry(key).or_insert_with(|| Step {
        inputs: BTreeSet::new(),
        outputs: BTreeSet::new(),
        makers: BTreeSet::new(),
        first: at,
        last: at,
    });
    step.inputs.extend(input);
    step.outputs.extend(output);
    step.makers.insert(by.to_owned());
    (step.first, step.last) = (step.first.min(at), step.last.max(at));
}

/// The edges into the columns of each thing.
fn by_owner(columns: &[ColumnEdge]) -> BTreeMap<Node, Vec<&ColumnEdge>> {
    let mut by_owner: BTreeMap<Node, Vec<&ColumnEdge>> = BTreeMap::new();
    for edge in columns {
        if let Some(owner) = edge.to.owner() {
            by_owner.entry(owner).or_default().push(edge);
        }
    }
    by_owner
}

/// What is known of the nodes, and who tells it.
struct Told<'a> {
    facts: BTreeMap<&'a Node, &'a Value>,
    columns: BTreeMap<Node, Vec<&'a ColumnEdge>>,
    origin: Origin<'a>,
}

impl Told<'_> {
    fn event(&self, key: &Key, step: &Step, kind: &str, at: Timestamp) -> Value {
        let (node, run_facts) = match key {
            Key::Run(node) => (node, self.facts.get(node).copied()),
            Key::Made { effect, .. } => (effect, None),
        };
        let (namespace, name) = job(key, run_facts, self.origin);
        let told = json!({ "node": node, "facts": run_facts, "madeBy": step.makers });
        json!({
            "eventType": kind,
            "eventTime": at,
            "producer": self.origin.producer,
            "schemaURL": format!("{SPEC}#/$defs/RunEvent"),
            "run": { "runId": run_id(key), "facets": { "bedplate_node": facet(told, "RunFacet", self.origin) } },
            "job": { "namespace": namespace, "name": name },
            "inputs": step.inputs.iter().map(|node| self.input(node)).collect::<Vec<_>>(),
            "outputs": step.outputs.iter().map(|node| self.output(node)).collect::<Vec<_>>(),
        })
    }

    fn dataset(&self, node: &Node) -> Value {
        let (origin, place) = (self.origin, node.place(self.origin.namespace));
        let told = json!({ "node": node, "facts": self.facts.get(node) });
        let mut facets = json!({ "bedplate_node": facet(told, "DatasetFacet", origin) });
        if let Some(version) = node.version() {
            facets["version"] =
                json!({ "_producer": origin.producer, "_schemaURL": VERSION, "datasetVersion": version });
        }
        json!({ "namespace": place.namespace, "name": place.dataset, "facets": facets })
    }

    /// With how the expectations on it fared, which its facts have as `assertions: [{"assertion", "success"}]`.
    fn input(&self, node: &Node) -> Value {
        let mut dataset = self.dataset(node);
        let assertions = self.facts.get(node).and_then(|facts| facts.get("assertions"));
        if let Some(assertions) = assertions.filter(|assertions| assertions.is_array()) {
            let facet =
                json!({ "_producer": self.origin.producer, "_schemaURL": ASSERTIONS, "assertions": assertions });
            dataset["inputFacets"] = json!({ "dataQualityAssertions": facet });
        }
        dataset
    }

    /// With what its columns were made of.
    fn output(&self, node: &Node) -> Value {
        let mut dataset = self.dataset(node);
        let mut fields: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for edge in self.columns.get(node).into_iter().flatten() {
            let to = edge.to.place(self.origin.namespace).field.unwrap_or_default();
            fields.entry(to).or_default().push(input_field(edge, self.origin));
        }
        if !fields.is_empty() {
            let fields = fields.into_iter().map(|(name, inputs)| (name, json!({ "inputFields": inputs })));
            dataset["facets"]["columnLineage"] = json!({
                "_producer": self.origin.producer,
                "_schemaURL": COLUMNS,
                "fields": fields.collect::<serde_json::Map<_, _>>(),
            });
        }
        dataset
    }
}

fn input_field(edge: &ColumnEdge, origin: Origin<'_>) -> Value {
    let from = edge.from.place(origin.namespace);
    let kind = if edge.how.is_direct() { "DIRECT" } else { "INDIRECT" };
    json!({
        "namespace": from.namespace,
        "name": from.dataset,
        "field": from.field.unwrap_or_default(),
        "transformations": [{ "type": kind, "subtype": edge.how.subtype(), "description": "", "masking": false }],
    })
}

/// The run's own id where it is a UUID; else one made of what it is.
fn run_id(key: &Key) -> String {
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
fn job(key: &Key, facts: Option<&Value>, origin: Origin<'_>) -> (String, String) {
    match key {
        Key::Made { effect, .. } => {
            let place = effect.place(origin.namespace);
            (place.namespace, format!("make/{}", place.dataset))
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

fn facet(mut told: Value, of: &str, origin: Origin<'_>) -> Value {
    told["_producer"] = origin.producer.into();
    told["_schemaURL"] = format!("{SPEC}#/$defs/{of}").into();
    told
}

#[cfg(test)]
mod tests {
    use bedplate_lineage::{Edge, How};
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
        Graph { nodes: nodes.into_iter().map(|node| (node.clone(), facts(&node))).collect(), edges, ..Graph::default() }
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

    #[test]
    fn an_input_says_how_the_expectations_on_it_fared() {
        let mut graph = graph(&[
            ("table:flights/weather@1", "view:flights/w@d", "c", 2),
            ("table:flights/planes@4", "view:flights/w@d", "c", 3),
        ]);
        let assertions = json!([{ "assertion": "plausible-wind", "success": false }]);
        for (node, facts) in &mut graph.nodes {
            if node.to_string() == "table:flights/weather@1" {
                *facts = json!({ "assertions": assertions });
            }
        }
        let events = export(&graph, ORIGIN);
        let facets: Vec<&Value> =
            events[0]["inputs"].as_array().unwrap().iter().map(|input| &input["inputFacets"]).collect();
        assert!(facets[0].is_null(), "nothing was judged of it: {facets:?}");
        assert_eq!(facets[1]["dataQualityAssertions"]["assertions"], assertions);
    }

    fn column(from: &str, to: &str, how: How) -> ColumnEdge {
        ColumnEdge {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            how,
            by: "c".into(),
            at: Timestamp::from_micros(3),
        }
    }

    #[test]
    fn an_output_says_what_its_columns_were_made_of() {
        let mut graph = whole();
        graph.columns = vec![
            column("column:table:flights/weather@1#temp", "feature:flights/w@d#temp", How::Aggregation),
            column("column:table:flights/weather@1#time", "feature:flights/w@d#temp", How::Window),
        ];
        let events = export(&graph, ORIGIN);
        let view = events.iter().find(|e| e["job"]["name"] == "make/view/w").unwrap();
        let inputs = &view["outputs"][0]["facets"]["columnLineage"]["fields"]["temp"]["inputFields"];
        assert_eq!((&inputs[0]["name"], &inputs[0]["field"]), (&json!("table/weather"), &json!("temp")));
        let kinds: Vec<_> = [0, 1].map(|n| &inputs[n]["transformations"][0]).into_iter().collect();
        assert_eq!((&kinds[0]["type"], &kinds[0]["subtype"]), (&json!("DIRECT"), &json!("AGGREGATION")));
        assert_eq!((&kinds[1]["type"], &kinds[1]["subtype"]), (&json!("INDIRECT"), &json!("WINDOW")));
        let with = events.iter().filter(|event| event["outputs"].to_string().contains("columnLineage")).count();
        assert_eq!(with, 2, "the other outputs have no columns that are known");
        let alone = Graph { columns: graph.columns, ..Graph::default() };
        let events = export(&alone, ORIGIN);
        assert_eq!(
            (events.len(), &events[1]["job"]["name"]),
            (2, &json!("make/view/w")),
            "columns alone tell the step"
        );
        assert_eq!(events[1]["inputs"].as_array().unwrap().len(), 1);
        let read = Event::parse(&RawValue::from_string(events[1].to_string()).unwrap()).unwrap();
        assert_eq!(read.uses().iter().map(|used| used.dataset.columns.len()).sum::<usize>(), 2, "and are read again");
    }
}
