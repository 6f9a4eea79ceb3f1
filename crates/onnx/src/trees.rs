//! Boosted trees for a binary label, written as one `TreeEnsembleClassifier` node.
//!
//! Of the ways the operator leaves open, this writes the one every runtime reads alike: one weight per leaf under
//! class id 0, no base values, `LOGISTIC`. The base is a first tree of one leaf: so it is added first, as trainers do,
//! and the 32-bit sum comes out the same to the last bit. onnxruntime takes a different road when no leaf weight is
//! negative (it then takes the sum itself for the probability), so such an ensemble gets a stump whose negative leaf
//! nothing reaches.

use prost::Message;

use crate::proto::{
    AttributeProto, DataType, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    ValueInfoProto,
};
use crate::{FEATURE_NAMES_KEY, ML_DOMAIN};

/// IR 8 with ai.onnx 15 and ai.onnx.ml 3 is read by every onnxruntime since 1.10.
const IR_VERSION: i64 = 8;
const OPSETS: [(&str, i64); 2] = [("", 15), (ML_DOMAIN, 3)];

/// Trees whose summed leaves, plus the base, are the log-odds of label 1.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeEnsemble {
    /// Number of columns of the input.
    pub n_features: usize,
    /// Log-odds before any tree.
    pub base: f32,
    /// Each tree as its nodes; node 0 is the root, children are indices into the same list.
    pub trees: Vec<Vec<Step>>,
}

/// A node of a tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    Split(Split),
    Leaf(f32),
}

/// `value < threshold` goes to `below`, anything else to `above`; NaN goes to `below` when `missing_below`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    pub feature: u32,
    pub threshold: f32,
    pub missing_below: bool,
    pub below: u32,
    pub above: u32,
}

/// The stump that only takes onnxruntime off its road for all-positive weights: nothing is below -inf.
const UNREACHED: [Step; 3] = [
    Step::Split(Split { feature: 0, threshold: f32::NEG_INFINITY, missing_below: false, below: 1, above: 2 }),
    Step::Leaf(-1.0),
    Step::Leaf(0.0),
];

impl TreeEnsemble {
    /// The model's bytes: input `features` float `[N, n_features]`, outputs `label` int64 `[N]` and `probabilities`
    /// float `[N, 2]`. `feature_names` (a JSON list) goes to the metadata. Same ensemble, same bytes.
    #[must_use]
    pub fn to_onnx(&self, feature_names: &str) -> Vec<u8> {
        self.model(feature_names).encode_to_vec()
    }

    fn model(&self, feature_names: &str) -> ModelProto {
        let entry = |(key, value): (&str, &str)| StringStringEntryProto {
            key: Some(key.to_owned()),
            value: Some(value.to_owned()),
        };
        let opset = |(domain, version): (&str, i64)| OperatorSetIdProto {
            domain: Some(domain.to_owned()),
            version: Some(version),
        };
        ModelProto {
            ir_version: Some(IR_VERSION),
            producer_name: Some("bedplate".to_owned()),
            producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            graph: Some(self.graph()),
            opset_import: OPSETS.into_iter().map(opset).collect(),
            metadata_props: [(FEATURE_NAMES_KEY, feature_names)].into_iter().map(entry).collect(),
            ..ModelProto::default()
        }
    }

    fn graph(&self) -> GraphProto {
        let width = i64::try_from(self.n_features).unwrap_or(i64::MAX);
        GraphProto {
            name: Some("trees".to_owned()),
            node: vec![self.node()],
            input: vec![ValueInfoProto::tensor("features", DataType::Float, &[None, Some(width)])],
            output: vec![
                ValueInfoProto::tensor("label", DataType::Int64, &[None]),
                ValueInfoProto::tensor("probabilities", DataType::Float, &[None, Some(2)]),
            ],
            ..GraphProto::default()
        }
    }

    fn node(&self) -> NodeProto {
        let mut columns = Columns::default();
        columns.push_tree(&[Step::Leaf(self.base)]);
        for tree in &self.trees {
            columns.push_tree(tree);
        }
        if !columns.leaf_weights.iter().any(|weight| *weight < 0.0) {
            columns.push_tree(&UNREACHED);
        }
        NodeProto {
            op_type: Some("TreeEnsembleClassifier".to_owned()),
            domain: Some(ML_DOMAIN.to_owned()),
            name: Some("trees".to_owned()),
            input: vec!["features".to_owned()],
            output: vec!["label".to_owned(), "probabilities".to_owned()],
            attribute: columns.attributes(),
        }
    }
}

/// The operator's attributes: parallel lists over all nodes, and over all leaves.
#[derive(Default)]
struct Columns {
    trees: i64,
    tree_ids: Vec<i64>,
    node_ids: Vec<i64>,
    features: Vec<i64>,
    modes: Vec<&'static str>,
    thresholds: Vec<f32>,
    below: Vec<i64>,
    above: Vec<i64>,
    missing_below: Vec<i64>,
    leaf_trees: Vec<i64>,
    leaf_nodes: Vec<i64>,
    leaf_weights: Vec<f32>,
}

impl Columns {
    fn push_tree(&mut self, tree: &[Step]) {
        for (id, step) in (0..).zip(tree) {
            self.tree_ids.push(self.trees);
            self.node_ids.push(id);
            match step {
                Step::Split(split) => self.push_split(split),
                Step::Leaf(weight) => self.push_leaf(id, *weight),
            }
        }
        self.trees += 1;
    }

    fn push_split(&mut self, split: &Split) {
        self.push_test("BRANCH_LT", split.threshold, i64::from(split.feature));
        self.below.push(i64::from(split.below));
        self.above.push(i64::from(split.above));
        self.missing_below.push(i64::from(split.missing_below));
    }

    fn push_leaf(&mut self, id: i64, weight: f32) {
        self.push_test("LEAF", 0.0, 0);
        self.below.push(0);
        self.above.push(0);
        self.missing_below.push(0);
        self.leaf_trees.push(self.trees);
        self.leaf_nodes.push(id);
        self.leaf_weights.push(weight);
    }

    fn push_test(&mut self, mode: &'static str, threshold: f32, feature: i64) {
        self.modes.push(mode);
        self.thresholds.push(threshold);
        self.features.push(feature);
    }

    fn attributes(self) -> Vec<AttributeProto> {
        let class_ids = vec![0; self.leaf_weights.len()];
        vec![
            AttributeProto::ints("class_ids", class_ids),
            AttributeProto::ints("class_nodeids", self.leaf_nodes),
            AttributeProto::ints("class_treeids", self.leaf_trees),
            AttributeProto::floats("class_weights", self.leaf_weights),
            AttributeProto::ints("classlabels_int64s", vec![0, 1]),
            AttributeProto::ints("nodes_falsenodeids", self.above),
            AttributeProto::ints("nodes_featureids", self.features),
            AttributeProto::ints("nodes_missing_value_tracks_true", self.missing_below),
            AttributeProto::texts("nodes_modes", self.modes),
            AttributeProto::ints("nodes_nodeids", self.node_ids),
            AttributeProto::ints("nodes_treeids", self.tree_ids),
            AttributeProto::ints("nodes_truenodeids", self.below),
            AttributeProto::floats("nodes_values", self.thresholds),
            AttributeProto::text("post_transform", "LOGISTIC"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stump(low: f32, high: f32) -> TreeEnsemble {
        let split = Split { feature: 1, threshold: 0.5, missing_below: true, below: 1, above: 2 };
        let trees = vec![vec![Step::Split(split), Step::Leaf(low), Step::Leaf(high)]];
        TreeEnsemble { n_features: 2, base: 0.25, trees }
    }

    #[test]
    fn is_read_back_as_written() {
        let bytes = stump(-1.0, 1.0).to_onnx(r#"["a","b"]"#);
        assert_eq!(bytes, stump(-1.0, 1.0).to_onnx(r#"["a","b"]"#));
        let model = crate::parse(&bytes, 1 << 20).unwrap();
        assert_eq!(model.metadata_props[0].value(), r#"["a","b"]"#);
        let graph = model.graph.unwrap();
        assert_eq!(
            (graph.input[0].name(), graph.input[0].size(0), graph.input[0].size(1)),
            ("features", None, Some(2))
        );
        assert_eq!(graph.input[0].element(), Some(DataType::Float as i32));
        let node = &graph.node[0];
        assert_eq!(node.ints("nodes_truenodeids"), [0, 1, 0, 0]);
        assert_eq!(node.ints("nodes_missing_value_tracks_true"), [0, 1, 0, 0]);
        assert_eq!(node.floats("class_weights"), [0.25, -1.0, 1.0]);
        assert_eq!(node.text("post_transform"), Some("LOGISTIC"));
    }

    #[test]
    fn always_has_a_negative_weight() {
        for (low, high) in [(0.0, 1.0), (1.0, 2.0)] {
            let model = stump(low, high).model("[]");
            let node = &model.graph.as_ref().unwrap().node[0];
            assert_eq!(node.floats("class_weights"), [0.25, low, high, -1.0, 0.0]);
            assert_eq!(node.ints("nodes_treeids"), [0, 1, 1, 1, 2, 2, 2]);
        }
    }
}
