//! GET /api/v1/lineage: jobs and the datasets between them, both ways from a node.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use bedplate_db::{Tx, Value};
use bedplate_policy::Action;

use super::{datasets, jobs};
use crate::MAX_NODES;
use crate::answer::{Data, Detail, Edge, Graph, Id, Node};
use crate::call::Call;
use crate::error::Failure;
use crate::node_id::NodeId;
use crate::sight::Sight;

/// The most edges of a graph.
pub(super) const MAX_EDGES: usize = 10_000;

/// Jobs at most `depth` jobs away; those of a dataset are no job away.
pub(crate) async fn walk(call: Call) -> Result<Json<Graph>, Failure> {
    let text = call.need("nodeId")?.to_owned();
    let (readings, depth, sight) = (NodeId::readings(&text)?, call.depth()?, call.sight(Action::List));
    call.read(move |tx| {
        for start in &readings {
            if let Some(walk) = begin(tx, &sight, start)? {
                return walk.go(tx, &sight, depth)?.graph(tx, &sight);
            }
        }
        Err(Failure::NotFound(format!("Node '{text}'")))
    })
    .await
    .map(Json)
}

/// What was reached so far.
#[derive(Default)]
struct Walk {
    jobs: BTreeSet<Id>,
    datasets: BTreeSet<Id>,
    edges: BTreeSet<Edge>,
    /// Jobs not yet looked at.
    next: BTreeSet<Id>,
    truncated: bool,
}

/// Nothing when the node is not there or may not be seen.
fn begin(tx: &mut dyn Tx, sight: &Sight, start: &NodeId) -> Result<Option<Walk>, Failure> {
    let mut walk = Walk::default();
    match start {
        NodeId::Dataset { namespace, name } if sight.reaches(namespace) => {
            if datasets::find(tx, sight, namespace, name, Detail::Brief)?.is_none() {
                return Ok(None);
            }
            walk.dataset(tx, sight, Id { namespace: namespace.clone(), name: name.clone() })?;
        }
        NodeId::Job { namespace, name } if sight.reaches(namespace) => {
            if jobs::find(tx, sight, namespace, name, Detail::Brief)?.is_none() {
                return Ok(None);
            }
            walk.next.insert(Id { namespace: namespace.clone(), name: name.clone() });
        }
        _ => return Ok(None),
    }
    Ok(Some(walk))
}

impl Walk {
    fn go(mut self, tx: &mut dyn Tx, sight: &Sight, depth: u32) -> Result<Self, Failure> {
        for _ in 0..=depth {
            let jobs = std::mem::take(&mut self.next);
            if jobs.is_empty() {
                break;
            }
            for job in jobs {
                if self.full() {
                    self.truncated = true;
                    return Ok(self);
                }
                self.job(tx, sight, job)?;
            }
        }
        Ok(self)
    }

    fn full(&self) -> bool {
        self.jobs.len() + self.datasets.len() >= MAX_NODES || self.edges.len() >= MAX_EDGES
    }

    fn job(&mut self, tx: &mut dyn Tx, sight: &Sight, job: Id) -> Result<(), Failure> {
        if !self.jobs.insert(job.clone()) {
            return Ok(());
        }
        let sql = "SELECT dataset_namespace, dataset, side FROM openlineage_io WHERE namespace = $1 AND job = $2
                   ORDER BY dataset_namespace, dataset, side LIMIT $3";
        for (dataset, side) in neighbours(tx, sight, sql, &job)? {
            if !self.datasets.contains(&dataset) && self.full() {
                self.truncated = true;
                break;
            }
            self.edges.insert(edge(&job, &dataset, &side));
            self.dataset(tx, sight, dataset)?;
        }
        Ok(())
    }

    fn dataset(&mut self, tx: &mut dyn Tx, sight: &Sight, dataset: Id) -> Result<(), Failure> {
        if !self.datasets.insert(dataset.clone()) {
            return Ok(());
        }
        let sql = "SELECT namespace, job, side FROM openlineage_io WHERE dataset_namespace = $1 AND dataset = $2
                   ORDER BY namespace, job, side LIMIT $3";
        let jobs = neighbours(tx, sight, sql, &dataset)?.into_iter().map(|(job, _)| job);
        self.next.extend(jobs.filter(|job| !self.jobs.contains(job)));
        Ok(())
    }

    /// Without facets, as in Marquez: a graph of a thousand nodes would be of any size with them.
    fn graph(self, tx: &mut dyn Tx, sight: &Sight) -> Result<Graph, Failure> {
        let mut graph = Vec::new();
        let (mut to, mut from) = (BTreeMap::new(), BTreeMap::new());
        for edge in self.edges {
            to.entry(edge.destination.clone()).or_insert_with(Vec::new).push(edge.clone());
            from.entry(edge.origin.clone()).or_insert_with(Vec::new).push(edge);
        }
        let mut add = |id: NodeId, sort, data| {
            let (in_edges, out_edges) = (to.remove(&id).unwrap_or_default(), from.remove(&id).unwrap_or_default());
            graph.push(Node { id, sort, data, in_edges, out_edges });
        };
        for Id { namespace, name } in self.datasets {
            if let Some(mut dataset) = datasets::find(tx, sight, &namespace, &name, Detail::Brief)? {
                dataset.facets = None;
                add(NodeId::dataset(namespace, name), "DATASET", Data::Dataset(Box::new(dataset)));
            }
        }
        for Id { namespace, name } in self.jobs {
            if let Some(mut job) = jobs::find(tx, sight, &namespace, &name, Detail::Brief)? {
                job.facets = None;
                if let Some(run) = &mut job.latest_run {
                    run.facets.clear();
                }
                add(NodeId::job(namespace, name), "JOB", Data::Job(Box::new(job)));
            }
        }
        Ok(Graph { graph, truncated: self.truncated })
    }
}

fn neighbours(tx: &mut dyn Tx, sight: &Sight, sql: &str, of: &Id) -> Result<Vec<(Id, String)>, Failure> {
    let limit = i64::try_from(MAX_NODES + 1).unwrap_or(i64::MAX);
    let args: [Value; 3] = [(&of.namespace).into(), (&of.name).into(), limit.into()];
    let mut near = Vec::new();
    for row in tx.query(sql, &args)? {
        if sight.reaches(row.text(0)?) {
            near.push((
                Id { namespace: row.text(0)?.to_owned(), name: row.text(1)?.to_owned() },
                row.text(2)?.to_owned(),
            ));
        }
    }
    Ok(near)
}

fn edge(job: &Id, dataset: &Id, side: &str) -> Edge {
    let job = NodeId::job(&job.namespace, &job.name);
    let dataset = NodeId::dataset(&dataset.namespace, &dataset.name);
    match side {
        "input" => Edge { origin: dataset, destination: job },
        _ => Edge { origin: job, destination: dataset },
    }
}
