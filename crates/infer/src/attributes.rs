//! A tree ensemble's attributes as checked parallel lists.

use std::collections::HashMap;

use bedplate_onnx::proto::NodeProto;

use crate::InferError;
use crate::error::malformed;

/// What a node does with the value of its feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Leaf,
    Below,
    AtMost,
    Above,
    AtLeast,
    Equal,
    Unequal,
}

impl Mode {
    fn read(text: &[u8]) -> Result<Self, InferError> {
        Ok(match text {
            b"LEAF" => Self::Leaf,
            b"BRANCH_LT" => Self::Below,
            b"BRANCH_LEQ" => Self::AtMost,
            b"BRANCH_GT" => Self::Above,
            b"BRANCH_GTE" => Self::AtLeast,
            b"BRANCH_EQ" => Self::Equal,
            b"BRANCH_NEQ" => Self::Unequal,
            other => return Err(InferError::Unsupported(format!("node mode {}", String::from_utf8_lossy(other)))),
        })
    }
}

/// A node as the file has it, with children resolved to positions in the list of all nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawNode {
    pub tree: i64,
    pub mode: Mode,
    pub feature: u32,
    pub threshold: f32,
    pub missing_true: bool,
    /// Positions of the true and the false child; `None` of a leaf.
    pub children: Option<(usize, usize)>,
}

/// The share of one leaf in one target or class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RawVote {
    pub node: usize,
    pub target: u32,
    pub weight: f32,
}

/// Nodes are few enough to be numbered in 31 bits, with room for flags.
const MAX_NODES: usize = 1 << 28;
/// Features are numbered below this, leaving room for flags.
pub(crate) const MAX_FEATURES: usize = 1 << 24;

/// All nodes and votes of an ensemble. `prefix` is `class` or `target`, as the operator calls its votes.
pub(crate) fn read(node: &NodeProto, prefix: &str) -> Result<(Vec<RawNode>, Vec<RawVote>), InferError> {
    let places = places(node)?;
    let nodes = (0..places.len()).map(|at| raw_node(node, &places, at)).collect::<Result<Vec<_>, _>>()?;
    let votes = votes(node, prefix, &places)?;
    if let Some(vote) = votes.iter().find(|vote| nodes[vote.node].mode != Mode::Leaf) {
        return Err(malformed(format!("node {} has a weight but is no leaf", vote.node)));
    }
    Ok((nodes, votes))
}

type Places = HashMap<(i64, i64), usize>;

/// Where each (tree, node) stands in the lists; also checks that all lists are equally long.
fn places(node: &NodeProto) -> Result<Places, InferError> {
    let (trees, ids) = (node.ints("nodes_treeids"), node.ints("nodes_nodeids"));
    let n = ids.len();
    let modes = node.attribute("nodes_modes").map_or(0, |attribute| attribute.strings.len());
    let lists = ["nodes_treeids", "nodes_featureids", "nodes_truenodeids", "nodes_falsenodeids"];
    let even = lists.iter().all(|name| node.ints(name).len() == n) && modes == n;
    if !even || node.floats("nodes_values").len() != n {
        return Err(malformed("the lists of nodes differ in length"));
    }
    let missing = node.ints("nodes_missing_value_tracks_true").len();
    if (missing != 0 && missing != n) || n == 0 || n > MAX_NODES {
        return Err(malformed(format!("{n} nodes with {missing} directions for missing values")));
    }
    let places: Places = trees.iter().copied().zip(ids.iter().copied()).zip(0..).collect();
    if places.len() == n { Ok(places) } else { Err(malformed("two nodes have one id")) }
}

fn raw_node(node: &NodeProto, places: &Places, at: usize) -> Result<RawNode, InferError> {
    let tree = node.ints("nodes_treeids")[at];
    let mode = node.attribute("nodes_modes").map_or(&[][..], |attribute| &attribute.strings[at]);
    let mode = Mode::read(mode)?;
    let missing_true = node.ints("nodes_missing_value_tracks_true").get(at).is_some_and(|tracks| *tracks != 0);
    let raw = RawNode { tree, mode, feature: 0, threshold: 0.0, missing_true, children: None };
    if mode == Mode::Leaf {
        return Ok(raw);
    }
    let child = |name: &str| {
        let id = node.ints(name)[at];
        places.get(&(tree, id)).copied().ok_or_else(|| malformed(format!("tree {tree} has no node {id}")))
    };
    let children = Some((child("nodes_truenodeids")?, child("nodes_falsenodeids")?));
    let (feature, threshold) = (feature(node, at)?, threshold(node, at)?);
    Ok(RawNode { feature, threshold, children, ..raw })
}

fn feature(node: &NodeProto, at: usize) -> Result<u32, InferError> {
    let id = node.ints("nodes_featureids")[at];
    match u32::try_from(id) {
        Ok(feature) if (feature as usize) < MAX_FEATURES => Ok(feature),
        _ => Err(malformed(format!("feature {id} is out of range"))),
    }
}

fn threshold(node: &NodeProto, at: usize) -> Result<f32, InferError> {
    let threshold = node.floats("nodes_values")[at];
    if threshold.is_nan() { Err(malformed("a threshold is not a number")) } else { Ok(threshold) }
}

fn votes(node: &NodeProto, prefix: &str, places: &Places) -> Result<Vec<RawVote>, InferError> {
    let ints = |field: &str| node.ints(&format!("{prefix}_{field}"));
    let (trees, nodes, targets) = (ints("treeids"), ints("nodeids"), ints("ids"));
    let weights = node.floats(&format!("{prefix}_weights"));
    if [trees.len(), nodes.len(), targets.len()].iter().any(|n| *n != weights.len()) {
        return Err(malformed("the lists of leaf weights differ in length"));
    }
    let vote = |at: usize| {
        let key = (trees[at], nodes[at]);
        let node = *places.get(&key).ok_or_else(|| malformed(format!("a weight is for the missing node {key:?}")))?;
        let target =
            u32::try_from(targets[at]).map_err(|_| malformed(format!("target {} is out of range", targets[at])))?;
        Ok(RawVote { node, target, weight: weights[at] })
    };
    (0..weights.len()).map(vote).collect()
}
