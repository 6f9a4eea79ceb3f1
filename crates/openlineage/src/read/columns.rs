//! GET /api/v1/column-lineage: which columns were made of which.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use bedplate_db::{Row, Tx};
use bedplate_policy::Action;

use super::datasets::fields;
use super::lineage::MAX_EDGES;
use crate::MAX_NODES;
use crate::answer::{ColumnData, ColumnLineage, Data, Edge, Graph, InputField, Node};
use crate::call::Call;
use crate::dataset::ColumnOf;
use crate::error::Failure;
use crate::node_id::NodeId;
use crate::sight::Sight;

/// What [`found`] reads: a column, and one that it was made of.
const FROM: &str = "SELECT namespace, dataset, field, of_namespace, of_dataset, of_field, description, transformation
    FROM openlineage_all_columns";

/// Columns that those of the node were made of, at most `depth` steps away, and with `withDownstream` also what was made of
/// them.
pub(crate) async fn walk(call: Call) -> Result<Json<Graph>, Failure> {
    let text = call.need("nodeId")?.to_owned();
    let (readings, depth, sight) = (NodeId::readings(&text)?, call.depth()?, call.sight(Action::List));
    let downstream = call.flag("withDownstream")?;
    call.read(move |tx| {
        for start in &readings {
            let start = columns(tx, &sight, start)?;
            if !start.is_empty() {
                return reach(tx, &sight, start, depth, downstream)?.graph(tx);
            }
        }
        Err(Failure::NotFound(format!("Node '{text}'")))
    })
    .await
    .map(Json)
}

/// What the columns of a dataset were made of.
pub(super) fn inputs_of(
    tx: &mut dyn Tx,
    sight: &Sight,
    namespace: &str,
    name: &str,
) -> Result<Vec<ColumnLineage>, Failure> {
    let sql = format!(
        "{FROM} WHERE namespace = $1 AND dataset = $2 ORDER BY field, of_namespace, of_dataset, of_field LIMIT $3"
    );
    let mut columns: BTreeMap<String, Vec<InputField>> = BTreeMap::new();
    for row in tx.query(&sql, &[namespace.into(), name.into(), bound().into()])? {
        if sight.reaches(row.text(3)?) {
            columns.entry(row.text(2)?.to_owned()).or_default().push(input(&row)?);
        }
    }
    Ok(columns.into_iter().map(|(name, input_fields)| ColumnLineage { name, input_fields }).collect())
}

/// The columns that a node stands for; none when it is not there or may not be seen.
fn columns(tx: &mut dyn Tx, sight: &Sight, node: &NodeId) -> Result<BTreeSet<ColumnOf>, Failure> {
    match node {
        NodeId::Dataset { namespace, name } if sight.reaches(namespace) => of_dataset(tx, namespace, name),
        NodeId::Field { namespace, dataset, field } if sight.reaches(namespace) => {
            let mut all = of_dataset(tx, namespace, dataset)?;
            all.retain(|column| column.field == *field);
            Ok(all)
        }
        NodeId::Job { namespace, name } if sight.reaches(namespace) => of_job(tx, sight, namespace, name),
        _ => Ok(BTreeSet::new()),
    }
}

/// Columns of its schema, columns told to be made, and columns told to be used.
fn of_dataset(tx: &mut dyn Tx, namespace: &str, dataset: &str) -> Result<BTreeSet<ColumnOf>, Failure> {
    let sql = "SELECT field FROM openlineage_all_columns WHERE namespace = $1 AND dataset = $2
               UNION SELECT of_field FROM openlineage_all_columns WHERE of_namespace = $1 AND of_dataset = $2 LIMIT $3";
    let mut names = BTreeSet::new();
    for row in tx.query(sql, &[namespace.into(), dataset.into(), bound().into()])? {
        names.insert(row.text(0)?.to_owned());
    }
    names.extend(types(tx, namespace, dataset)?.into_keys());
    let column = |field| ColumnOf { namespace: namespace.to_owned(), dataset: dataset.to_owned(), field };
    Ok(names.into_iter().map(column).collect())
}

fn of_job(tx: &mut dyn Tx, sight: &Sight, namespace: &str, job: &str) -> Result<BTreeSet<ColumnOf>, Failure> {
    let sql =
        "SELECT dataset_namespace, dataset FROM openlineage_io WHERE namespace = $1 AND job = $2 AND side = 'output'
               ORDER BY dataset_namespace, dataset LIMIT $3";
    let mut columns = BTreeSet::new();
    for row in tx.query(sql, &[namespace.into(), job.into(), bound().into()])? {
        if sight.reaches(row.text(0)?) && columns.len() < MAX_NODES {
            columns.extend(of_dataset(tx, row.text(0)?, row.text(1)?)?);
        }
    }
    Ok(columns)
}

/// The current columns of a dataset with their types.
fn types(tx: &mut dyn Tx, namespace: &str, dataset: &str) -> Result<BTreeMap<String, Option<String>>, Failure> {
    let sql = "SELECT v.fields FROM openlineage_datasets d JOIN openlineage_versions v
                   ON v.namespace = d.namespace AND v.dataset = d.name AND v.version = d.version
               WHERE d.namespace = $1 AND d.name = $2";
    let rows = tx.query(sql, &[namespace.into(), dataset.into()])?;
    let fields = rows.first().map_or(Ok(Vec::new()), |row| fields(row.text(0)?))?;
    Ok(fields.into_iter().map(|told| (told.field.name, told.field.of)).collect())
}

/// Columns, and for each what it was made of.
#[derive(Default)]
struct Reached {
    columns: BTreeSet<ColumnOf>,
    inputs: BTreeMap<ColumnOf, BTreeMap<ColumnOf, InputField>>,
    edges: usize,
    truncated: bool,
}

fn reach(
    tx: &mut dyn Tx,
    sight: &Sight,
    start: BTreeSet<ColumnOf>,
    depth: u32,
    downstream: bool,
) -> Result<Reached, Failure> {
    let mut reached = Reached::default();
    for column in &start {
        reached.add(column);
    }
    let up = format!(
        "{FROM} WHERE namespace = $1 AND dataset = $2 AND field = $3 ORDER BY of_namespace, of_dataset, of_field LIMIT $4"
    );
    reached.walk(tx, sight, &up, &start, depth, |made, of| (made, of))?;
    if downstream {
        let down = format!(
            "{FROM} WHERE of_namespace = $1 AND of_dataset = $2 AND of_field = $3 ORDER BY namespace, dataset, field LIMIT $4"
        );
        reached.walk(tx, sight, &down, &start, depth, |made, of| (of, made))?;
    }
    Ok(reached)
}

impl Reached {
    /// Whether it is there now.
    fn add(&mut self, column: &ColumnOf) -> bool {
        if self.columns.contains(column) {
            return true;
        }
        let room = self.columns.len() < MAX_NODES;
        if room {
            self.columns.insert(column.clone());
        }
        self.truncated |= !room;
        room
    }

    /// `near_and_far` says which of a column and what it was made of the walk stands on.
    fn walk(
        &mut self,
        tx: &mut dyn Tx,
        sight: &Sight,
        sql: &str,
        start: &BTreeSet<ColumnOf>,
        depth: u32,
        near_and_far: impl Fn(ColumnOf, ColumnOf) -> (ColumnOf, ColumnOf),
    ) -> Result<(), Failure> {
        let (mut frontier, mut seen) = (start.clone(), start.clone());
        for _ in 0..depth {
            let mut next = BTreeSet::new();
            for column in frontier.iter().filter(|column| self.columns.contains(column)).cloned().collect::<Vec<_>>() {
                let args = [&column.namespace, &column.dataset, &column.field].map(|text| text.into());
                let args: Vec<_> = args.into_iter().chain([bound().into()]).collect();
                for row in tx.query(sql, &args)? {
                    let (made, of) = found(&row)?;
                    let (_, far) = near_and_far(made.clone(), of.clone());
                    if sight.reaches(&far.namespace)
                        && self.edge(made, of, &far, input(&row)?)
                        && seen.insert(far.clone())
                    {
                        next.insert(far);
                    }
                }
            }
            if next.is_empty() {
                break;
            }
            frontier = next;
        }
        Ok(())
    }

    fn edge(&mut self, made: ColumnOf, of: ColumnOf, far: &ColumnOf, input: InputField) -> bool {
        if self.edges >= MAX_EDGES || !self.add(far) {
            self.truncated = true;
            return false;
        }
        if self.inputs.entry(made).or_default().insert(of, input).is_none() {
            self.edges += 1;
        }
        true
    }

    fn graph(self, tx: &mut dyn Tx) -> Result<Graph, Failure> {
        let mut outputs: BTreeMap<&ColumnOf, Vec<&ColumnOf>> = BTreeMap::new();
        for (made, inputs) in &self.inputs {
            for of in inputs.keys() {
                outputs.entry(of).or_default().push(made);
            }
        }
        let mut known: BTreeMap<(&str, &str), BTreeMap<String, Option<String>>> = BTreeMap::new();
        let mut graph = Vec::new();
        for column in &self.columns {
            let key = (column.namespace.as_str(), column.dataset.as_str());
            let types = match known.entry(key) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(types(tx, key.0, key.1)?),
            };
            let of = types.get(&column.field).cloned().flatten();
            let inputs = self.inputs.get(column);
            let outputs = outputs.get(column).map_or(&[][..], Vec::as_slice);
            graph.push(node(column, of, inputs, outputs));
        }
        Ok(Graph { graph, truncated: self.truncated })
    }
}

/// Both kinds of edges begin at the node itself: so Marquez has it for columns, and its pages read them so.
fn node(
    column: &ColumnOf,
    of: Option<String>,
    inputs: Option<&BTreeMap<ColumnOf, InputField>>,
    outputs: &[&ColumnOf],
) -> Node {
    let id = id(column);
    let edge = |other: &ColumnOf| Edge { origin: id.clone(), destination: self::id(other) };
    let in_edges = inputs.into_iter().flat_map(BTreeMap::keys).map(edge).collect();
    let out_edges = outputs.iter().map(|other| edge(other)).collect();
    let input_fields: Vec<InputField> = inputs.into_iter().flat_map(BTreeMap::values).cloned().collect();
    let first = input_fields.first();
    let data = ColumnData {
        namespace: column.namespace.clone(),
        dataset: column.dataset.clone(),
        dataset_version: None,
        field: column.field.clone(),
        field_type: of,
        transformation_description: first.and_then(|input| input.transformation_description.clone()),
        transformation_type: first.and_then(|input| input.transformation_type.clone()),
        input_fields,
    };
    Node { id, sort: "DATASET_FIELD", data: Data::Field(Box::new(data)), in_edges, out_edges }
}

fn id(column: &ColumnOf) -> NodeId {
    NodeId::field(&column.namespace, &column.dataset, &column.field)
}

fn found(row: &Row) -> Result<(ColumnOf, ColumnOf), Failure> {
    let column = |first: usize| -> Result<ColumnOf, Failure> {
        let [namespace, dataset, field] = [first, first + 1, first + 2].map(|at| row.text(at).map(str::to_owned));
        Ok(ColumnOf { namespace: namespace?, dataset: dataset?, field: field? })
    };
    Ok((column(0)?, column(3)?))
}

fn input(row: &Row) -> Result<InputField, Failure> {
    let (_, of) = found(row)?;
    Ok(InputField {
        namespace: of.namespace,
        dataset: of.dataset,
        field: of.field,
        transformation_description: row.opt_text(6)?.map(str::to_owned),
        transformation_type: row.opt_text(7)?.map(str::to_owned),
    })
}

/// One more than may be shown, so that what is missing is noticed.
fn bound() -> i64 {
    i64::try_from(MAX_NODES + 1).unwrap_or(i64::MAX)
}
