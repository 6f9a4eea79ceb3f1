//! Small models, made node by node.

use bedplate_onnx::proto::{
    AttributeProto, DataType, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, ValueInfoProto,
};
use bedplate_onnx::{ML_DOMAIN, Split, Step, TreeEnsemble};
use prost::Message;

/// `(tree, node, mode, feature, threshold, true child, false child)`.
pub type Row = (i64, i64, &'static str, i64, f32, i64, i64);
/// `(tree, node, target, weight)`.
pub type Vote = (i64, i64, i64, f32);

/// An ensemble's node with the given rows and votes, `prefix` being `class` or `target`.
pub fn node(prefix: &str, rows: &[Row], votes: &[Vote]) -> NodeProto {
    let ints = |name: &str, of: fn(&Row) -> i64| AttributeProto::ints(name, rows.iter().map(of).collect());
    let vote_ints = |field: &str, of: fn(&Vote) -> i64| {
        AttributeProto::ints(&format!("{prefix}_{field}"), votes.iter().map(of).collect())
    };
    let attribute = vec![
        ints("nodes_treeids", |row| row.0),
        ints("nodes_nodeids", |row| row.1),
        AttributeProto::texts("nodes_modes", rows.iter().map(|row| row.2)),
        ints("nodes_featureids", |row| row.3),
        AttributeProto::floats("nodes_values", rows.iter().map(|row| row.4).collect()),
        ints("nodes_truenodeids", |row| row.5),
        ints("nodes_falsenodeids", |row| row.6),
        vote_ints("treeids", |vote| vote.0),
        vote_ints("nodeids", |vote| vote.1),
        vote_ints("ids", |vote| vote.2),
        AttributeProto::floats(&format!("{prefix}_weights"), votes.iter().map(|vote| vote.3).collect()),
    ];
    let name = if prefix == "class" { "TreeEnsembleClassifier" } else { "TreeEnsembleRegressor" };
    NodeProto { op_type: Some(name.to_owned()), domain: Some(ML_DOMAIN.to_owned()), attribute, ..NodeProto::default() }
}

pub fn model(nodes: Vec<NodeProto>, width: Option<i64>) -> ModelProto {
    let input = vec![ValueInfoProto::tensor("features", DataType::Float, &[None, width])];
    ModelProto {
        ir_version: Some(8),
        graph: Some(GraphProto { node: nodes, input, ..GraphProto::default() }),
        opset_import: vec![OperatorSetIdProto { domain: Some(ML_DOMAIN.to_owned()), version: Some(3) }],
        ..ModelProto::default()
    }
}

pub fn bytes(nodes: Vec<NodeProto>, width: Option<i64>) -> Vec<u8> {
    model(nodes, width).encode_to_vec()
}

/// Three trees over three features, as bedplate writes them.
pub fn ensemble() -> TreeEnsemble {
    let split = |feature, threshold, below, above| {
        Step::Split(Split { feature, threshold, missing_below: feature == 1, below, above })
    };
    let tree = |shift: f32| {
        let leaves = [-1.0, 0.5, 1.5].map(|weight| Step::Leaf(weight + shift));
        vec![split(0, shift, 1, 4), split(1, 2.0 - shift, 2, 3), leaves[0], leaves[1], leaves[2]]
    };
    TreeEnsemble { n_features: 3, base: 0.25, trees: [0.0, 0.125, 0.25].map(tree).to_vec() }
}
