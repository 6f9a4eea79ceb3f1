//! What stands on a dataset, or on one column of it, now.

use std::collections::{BTreeMap, BTreeSet};

use bedplate_db::Tx;
use serde::Serialize;
use serde_json::Value;

use crate::column::{column_downstream, known};
use crate::head::{self, Head};
use crate::walk::downstream_of;
use crate::{Bounds, ColumnEdge, Edge, Graph, LineageError, Named, Node};

/// What depends on a dataset or a column: who, and the ways there.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Impact {
    pub dependants: Dependants,
    pub graph: Graph,
}

/// By sort, each in order, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dependants {
    pub features: Vec<Dependant>,
    pub recipes: Vec<Dependant>,
    pub models: Vec<Dependant>,
    pub endpoints: Vec<Dependant>,
    pub monitors: Vec<Dependant>,
}

/// One thing that depends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dependant {
    pub namespace: String,
    /// `view.feature`, `model@version`, or the object's name.
    pub name: String,
    /// Whether its values are made of the column; else the column decides only which values there are: a filter, a join, a
    /// group, a moment.
    pub direct: bool,
    pub node: Node,
}

impl Dependants {
    /// Every dependant behind the word for its sort.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &Dependant)> {
        [
            ("feature", &self.features),
            ("recipe", &self.recipes),
            ("model", &self.models),
            ("endpoint", &self.endpoints),
            ("monitor", &self.monitors),
        ]
        .into_iter()
        .flat_map(|(sort, found)| found.iter().map(move |one| (sort, one)))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }
}

/// What stands now on a table of this name, whatever its version, or on one column of it: features of the definitions that
/// count, recipes and monitors by their training sets, every registered model version, endpoints by what they serve.
///
/// # Errors
/// [`LineageError::UnknownColumn`] when nothing is known of it, [`LineageError::Db`], [`LineageError::Node`].
pub fn impact(
    tx: &mut dyn Tx,
    namespace: &str,
    table: &str,
    column: Option<&str>,
    bounds: Bounds,
) -> Result<Impact, LineageError> {
    let starts = known(tx, namespace, &format!("table/{table}"), column)?;
    if starts.is_empty() {
        let column = column.map(str::to_owned);
        return Err(LineageError::UnknownColumn { table: format!("{namespace}/{table}"), column });
    }
    let (columns, edges, cut) = column_downstream(tx, &starts, bounds)?;
    let direct = direct(&starts, &edges);
    let mut found = Found { dependants: BTreeMap::new(), edges: Vec::new(), nodes: Vec::new() };
    let mut kept = BTreeSet::new();
    for node in columns {
        if counts(tx, &node)? {
            found.column(&node, direct.contains(&node));
            kept.insert(node);
        }
    }
    let owners: Vec<Node> = found.dependants.keys().filter(|node| is_origin(node)).cloned().collect();
    let beyond = downstream_of(tx, &owners, Bounds { depth: 1, ..bounds })?;
    for edge in beyond.edges {
        if counts_after(tx, &edge)? {
            found.beyond(edge);
        }
    }
    let edges = edges.into_iter().filter(|edge| kept.contains(&edge.from) && kept.contains(&edge.to)).collect();
    Ok(found.told(&starts, edges, cut))
}

/// The columns whose values are made of the ones it began at.
fn direct(starts: &[Node], edges: &[ColumnEdge]) -> BTreeSet<Node> {
    let mut direct: BTreeSet<Node> = starts.iter().cloned().collect();
    let mut open: Vec<Node> = starts.to_vec();
    let mut ways: BTreeMap<&Node, Vec<&ColumnEdge>> = BTreeMap::new();
    for edge in edges.iter().filter(|edge| edge.how.is_direct()) {
        ways.entry(&edge.from).or_default().push(edge);
    }
    while let Some(node) = open.pop() {
        for edge in ways.get(&node).into_iter().flatten() {
            if direct.insert(edge.to.clone()) {
                open.push(edge.to.clone());
            }
        }
    }
    direct
}

/// Whether a column is of a definition that counts, or of a model that is not gone. Of tables and training sets all count:
/// models are trained on old ones.
fn counts(tx: &mut dyn Tx, column: &Node) -> Result<bool, LineageError> {
    Ok(match column.owner() {
        Some(Node::View { namespace, name, digest }) => {
            let head = head::of(tx, &Named::new("view", &namespace, &name))?;
            head == Head::Untold || head == Head::Is(Node::view(namespace, name, digest))
        }
        Some(Node::Model { namespace, name, .. }) => head::of(tx, &Named::new("model", namespace, name))? != Head::Gone,
        _ => true,
    })
}

/// Whether an edge from a training set or a model leads to something that stands on it now.
fn counts_after(tx: &mut dyn Tx, edge: &Edge) -> Result<bool, LineageError> {
    let (Node::Recipe { namespace, name } | Node::Monitor { namespace, name } | Node::Endpoint { namespace, name }) =
        &edge.to
    else {
        return Ok(false);
    };
    let head = head::of(tx, &Named::new(edge.to.sort(), namespace, name))?;
    Ok(head == Head::Untold || head == Head::Is(edge.from.clone()))
}

/// Training sets and models: what recipes, monitors and endpoints stand on.
fn is_origin(node: &Node) -> bool {
    matches!(node, Node::Snapshot(_) | Node::Model { .. })
}

struct Found {
    /// Each with whether it is direct.
    dependants: BTreeMap<Node, bool>,
    edges: Vec<Edge>,
    nodes: Vec<Node>,
}

impl Found {
    fn column(&mut self, column: &Node, direct: bool) {
        self.nodes.push(column.clone());
        match column {
            Node::Feature { .. } => self.add(column, direct),
            Node::Column { of, .. } if is_origin(of) => self.add(of, direct),
            _ => {}
        }
    }

    fn beyond(&mut self, edge: Edge) {
        let direct = self.dependants.get(&edge.from).copied().unwrap_or_default();
        self.add(&edge.to, direct);
        self.edges.push(edge);
    }

    fn add(&mut self, node: &Node, direct: bool) {
        let known = self.dependants.entry(node.clone()).or_default();
        *known |= direct;
    }

    fn told(mut self, starts: &[Node], columns: Vec<ColumnEdge>, cut: Option<String>) -> Impact {
        let mut dependants = Dependants::default();
        for (node, direct) in &self.dependants {
            dependants.add(node, *direct);
        }
        self.nodes.splice(0..0, starts.iter().cloned());
        self.nodes.extend(self.dependants.keys().cloned());
        let mut seen = BTreeSet::new();
        let nodes = self.nodes.into_iter().filter(|node| seen.insert(node.clone()));
        let graph = Graph {
            nodes: nodes.map(|node| (node, Value::Null)).collect(),
            edges: self.edges,
            columns,
            truncated: cut.is_some(),
            cut,
        };
        Impact { dependants, graph }
    }
}

impl Dependants {
    fn add(&mut self, node: &Node, direct: bool) {
        let (of, namespace, name) = match node {
            Node::Feature { namespace, view, name, .. } => (&mut self.features, namespace, format!("{view}.{name}")),
            Node::Recipe { namespace, name } => (&mut self.recipes, namespace, name.clone()),
            Node::Model { namespace, name, version } => (&mut self.models, namespace, format!("{name}@{version}")),
            Node::Endpoint { namespace, name } => (&mut self.endpoints, namespace, name.clone()),
            Node::Monitor { namespace, name } => (&mut self.monitors, namespace, name.clone()),
            _ => return,
        };
        of.push(Dependant { namespace: namespace.clone(), name, direct, node: node.clone() });
        of.sort();
    }
}
