//! Which columns came of which, step by step: from a table's column to a feature, a training set's column, a model's input.

use std::collections::{BTreeMap, BTreeSet};

use bedplate_features::ViewDefinition;
use bedplate_kinds::{Aggregate, FeatureService, ModelVersion, TrainingRecipeSpec, Transform};
use bedplate_lineage::{How, Node};
use bedplate_offline::{View, full_feature_name};
use bedplate_query::{OutputColumn, TableColumn, TableRef};
use bedplate_serving::Signature;
use bedplate_types::{Digest, NamespacedName, Timestamp};

use crate::core::{ACTOR, Facts};
use crate::jobs::FEATURE_PREFIX;
use crate::registration::version_node;

/// Nodes a column came of, each by its closest way.
type Causes = BTreeMap<Node, How>;

/// Features of a view: of the query's columns they are taken from, of its keys, and of the moment they were known.
pub fn of_view(
    facts: &mut Facts,
    (name, version): (&NamespacedName, &Digest),
    definition: &ViewDefinition,
    columns: &[OutputColumn],
    tables: &[TableRef],
    now: Timestamp,
) {
    let query = Query { columns, tables };
    for feature in &definition.features {
        let to = Node::feature(&name.namespace, &name.name, version, &feature.name);
        let taken = if feature.aggregate == Aggregate::Last { How::Identity } else { How::Aggregation };
        let mut causes = query.causes(&feature.column, taken);
        for key in &definition.join_keys {
            closest(&mut causes, query.causes(&key.name, How::Join));
        }
        if let Some(moment) = &definition.timestamp {
            closest(&mut causes, query.causes(moment, How::Window));
        }
        if let Some(moment) = &definition.created {
            closest(&mut causes, query.causes(moment, How::Sort));
        }
        link(facts, &to, causes, ACTOR, now);
    }
}

/// What a training set was made of.
pub struct Made<'a> {
    pub name: &'a NamespacedName,
    pub snapshot: &'a Digest,
    /// The model's inputs, without the prefix.
    pub features: &'a [String],
    /// Of the label query.
    pub columns: &'a [OutputColumn],
    pub tables: &'a [TableRef],
    /// The columns of the label frame that each view is joined by.
    pub keys: &'a BTreeMap<String, BTreeSet<String>>,
}

/// The join keys of each view.
pub fn keys(views: &[View]) -> BTreeMap<String, BTreeSet<String>> {
    let of = |view: &View| view.definition.join_keys.iter().map(|key| key.name.clone()).collect();
    views.iter().map(|view| (view.definition.name.clone(), of(view))).collect()
}

/// Columns of a training set: those of the label query, a feature of every view joined by key and moment, and what the
/// request's columns become.
pub fn of_training_set(
    facts: &mut Facts,
    made: &Made<'_>,
    service: &FeatureService,
    spec: &TrainingRecipeSpec,
    now: Timestamp,
) {
    let (query, set) = (Query { columns: made.columns, tables: made.tables }, Node::Snapshot(*made.snapshot));
    for column in made.columns {
        link(facts, &Node::column(&set, &column.name), query.causes(&column.name, How::Identity), ACTOR, now);
    }
    let versions = service.status.clone().unwrap_or_default().view_versions;
    for (view, version) in &versions {
        let mut joined = query.causes(&spec.label.timestamp_column, How::Join);
        for key in made.keys.get(view).into_iter().flatten() {
            closest(&mut joined, query.causes(key, How::Join));
        }
        let of_view = made.features.iter().filter_map(|feature| feature.strip_prefix(&full_feature_name(view, "")));
        for feature in of_view {
            let to = feature_column(&set, &full_feature_name(view, feature));
            let from = Node::feature(&made.name.namespace, view, version, feature);
            let mut causes = joined.clone();
            closest(&mut causes, [(from, How::Identity)].into());
            link(facts, &to, causes, ACTOR, now);
        }
    }
    for feature in &service.spec.request_features {
        let how = if feature.transform == Transform::Number { How::Identity } else { How::Transformation };
        link(facts, &feature_column(&set, &feature.name), query.causes(&feature.column, how), ACTOR, now);
    }
}

/// A model's inputs, and its label, of the columns of its training set.
pub fn of_model(
    facts: &mut Facts,
    model: &NamespacedName,
    entry: &ModelVersion,
    signature: &Signature,
    now: Timestamp,
) {
    let Ok(set) = entry.training_set.parse().map(Node::Snapshot) else { return };
    let version = version_node(model, entry.version);
    for feature in &signature.features {
        let causes = [(feature_column(&set, feature), How::Identity)].into();
        link(facts, &Node::column(&version, feature), causes, &entry.run_id, now);
    }
    let label = [(Node::column(&set, &signature.label), How::Transformation)].into();
    link(facts, &Node::column(&version, &signature.label), label, &entry.run_id, now);
}

fn feature_column(set: &Node, feature: &str) -> Node {
    Node::column(set, format!("{FEATURE_PREFIX}{feature}"))
}

/// A query's answer with the tables it read.
struct Query<'a> {
    columns: &'a [OutputColumn],
    tables: &'a [TableRef],
}

impl Query<'_> {
    /// What a column of the answer came of, when `how` is done to it besides.
    fn causes(&self, column: &str, how: How) -> Causes {
        let found = self.columns.iter().find(|output| output.name == column);
        let uses = found.into_iter().flat_map(|output| &output.of);
        uses.filter_map(|(of, way)| Some((self.node(of)?, if way.is_direct() { how.max(*way) } else { *way })))
            .collect()
    }

    fn node(&self, of: &TableColumn) -> Option<Node> {
        let table = self.tables.iter().find(|table| table.alias == of.table)?;
        let version = table.version.unwrap_or_default();
        Some(Node::column(&Node::table(&table.namespace, &table.name, version), &of.column))
    }
}

fn closest(causes: &mut Causes, more: Causes) {
    for (node, how) in more {
        let known = causes.entry(node).or_insert(how);
        *known = (*known).min(how);
    }
}

fn link(facts: &mut Facts, to: &Node, causes: Causes, by: &str, now: Timestamp) {
    for (from, how) in causes {
        facts.made_of(to, from, how, by, now);
    }
}
