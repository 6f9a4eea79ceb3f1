//! From the trainer's trees to the ones ONNX has: the same test, `value < threshold`, on the same 32-bit floats.

use bedplate_onnx::{Split, Step, TreeEnsemble};
use hessboost::model::BoostedModel;
use hessboost::tree::{Node, RegTree};

use crate::TrainError;

/// The booster's trees, thresholds and leaves bit for bit.
pub(crate) fn ensemble(booster: &BoostedModel) -> Result<TreeEnsemble, TrainError> {
    if booster.n_outputs() != 1 || booster.tree_weights().any(|weight| weight != 1.0) {
        return Err(TrainError::Export("trees with weights or several outputs"));
    }
    let trees = booster.trees().iter().map(tree).collect::<Result<_, _>>()?;
    Ok(TreeEnsemble { n_features: booster.n_features(), base: booster.base_score(), trees })
}

fn tree(tree: &RegTree) -> Result<Vec<Step>, TrainError> {
    if tree.has_categorical_splits() || tree.linear_leaves().is_some() || tree.is_vector_leaf() {
        return Err(TrainError::Export("categorical splits, linear or vector leaves"));
    }
    tree.nodes().iter().map(step).collect()
}

fn step(node: &Node) -> Result<Step, TrainError> {
    if node.is_leaf() {
        return Ok(Step::Leaf(node.leaf_value));
    }
    let child = |index: i32| u32::try_from(index).map_err(|_| TrainError::Export("a split with one child"));
    Ok(Step::Split(Split {
        feature: node.split_feature,
        threshold: node.split_cond,
        missing_below: node.default_left,
        below: child(node.left)?,
        above: child(node.right)?,
    }))
}
