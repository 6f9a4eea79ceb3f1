//! A loaded model and what it answers.

use bedplate_onnx::proto::{ModelProto, NodeProto};
use bedplate_onnx::{FEATURE_NAMES_KEY, OnnxError, parse};

use crate::InferError;
use crate::attributes::{self, RawVote};
use crate::error::malformed;
use crate::forest::Forest;
use crate::graph;
use crate::head::Head;
use crate::layout::lay_out;

/// Larger files are refused unread.
const MAX_BYTES: usize = 512 << 20;

/// A tree model ready to run; cheap to share behind an `Arc`, never changed by running.
#[derive(Clone, Debug)]
pub struct Model {
    forest: Forest,
    head: Head,
    sums: usize,
    n_features: usize,
    /// The integer labels of a classifier; empty for a regressor.
    labels: Vec<i64>,
    feature_names: Vec<String>,
}

/// The answers for a batch, row after row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outputs {
    /// The winning class's label of each row; empty for a regressor.
    pub labels: Vec<i64>,
    /// Probabilities of the classes, or values of the targets: `width` numbers a row.
    pub scores: Vec<f32>,
    pub width: usize,
}

impl Model {
    /// Reads and checks an ONNX model. Cost: linear in the size of the file.
    ///
    /// # Errors
    /// [`InferError::Unreadable`] when it is no ONNX, [`InferError::Unsupported`] when it holds more than one tree
    /// ensemble over one float tensor, [`InferError::Malformed`] when indices or lists contradict each other.
    pub fn load(bytes: &[u8]) -> Result<Self, InferError> {
        let model = parse(bytes, MAX_BYTES)?;
        let graph = model.graph.as_ref().ok_or(OnnxError::NoGraph)?;
        let node = graph::ensemble(graph)?;
        let is_classifier = node.op_type() == "TreeEnsembleClassifier";
        let (nodes, votes) = attributes::read(node, if is_classifier { "class" } else { "target" })?;
        let labels = if is_classifier { labels(node)? } else { Vec::new() };
        let (head, sums) = head(node, &votes, &labels, &nodes)?;
        let forest = lay_out(&nodes, &votes, sums)?;
        let need = nodes.iter().filter(|n| n.children.is_some()).map(|n| n.feature as usize + 1).max().unwrap_or(0);
        let n_features = graph::width(graph, need)?;
        Ok(Self { forest, head, sums, n_features, labels, feature_names: feature_names(&model) })
    }

    /// Features of a row; at least one.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// The features' names in input order, if the model carries them.
    #[must_use]
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// The labels of the classes; empty for a regressor.
    #[must_use]
    pub fn labels(&self) -> &[i64] {
        &self.labels
    }

    /// Numbers a row is answered with: classes, or targets.
    #[must_use]
    pub fn width(&self) -> usize {
        self.head.width(self.sums)
    }

    /// For each row of row-major `rows`: the probability of the second class (of the first target, for a regressor).
    ///
    /// # Errors
    /// When `n_features` is not the model's, or `rows` is no whole number of rows.
    pub fn predict(&self, rows: &[f32], n_features: usize) -> Result<Vec<f32>, InferError> {
        let outputs = self.infer(rows, n_features)?;
        let column = usize::from(!self.labels.is_empty() && outputs.width > 1);
        Ok(outputs.scores.chunks_exact(outputs.width).map(|row| row[column]).collect())
    }

    /// All answers for row-major `rows`.
    ///
    /// # Errors
    /// When `n_features` is not the model's, or `rows` is no whole number of rows.
    pub fn infer(&self, rows: &[f32], n_features: usize) -> Result<Outputs, InferError> {
        let n = self.count(rows, n_features)?;
        let width = self.width();
        let mut outputs = Outputs { labels: Vec::new(), scores: vec![0.0; n * width], width };
        let mut sums = vec![0.0; self.sums];
        for (row, columns) in rows.chunks_exact(n_features).zip(outputs.scores.chunks_exact_mut(width)) {
            sums.fill(0.0);
            self.forest.add(row, &mut sums);
            let best = self.head.finish(&mut sums, columns);
            outputs.labels.extend(self.labels.get(best));
        }
        Ok(outputs)
    }

    fn count(&self, rows: &[f32], n_features: usize) -> Result<usize, InferError> {
        if n_features != self.n_features {
            return Err(InferError::WrongWidth { expected: self.n_features, given: n_features });
        }
        if rows.len().is_multiple_of(n_features) {
            return Ok(rows.len() / n_features);
        }
        Err(InferError::Ragged { values: rows.len(), width: n_features })
    }
}

fn head(
    node: &NodeProto,
    votes: &[RawVote],
    labels: &[i64],
    nodes: &[attributes::RawNode],
) -> Result<(Head, usize), InferError> {
    if labels.is_empty() {
        let mut trees: Vec<i64> = nodes.iter().map(|node| node.tree).collect();
        trees.sort_unstable();
        trees.dedup();
        return Head::regressor(node, votes, trees.len());
    }
    Head::classifier(node, votes, labels.len())
}

fn labels(node: &NodeProto) -> Result<Vec<i64>, InferError> {
    if node.attribute("classlabels_strings").is_some_and(|attribute| !attribute.strings.is_empty()) {
        return Err(InferError::Unsupported("string labels".to_owned()));
    }
    match node.ints("classlabels_int64s") {
        [] => Err(malformed("a classifier without labels")),
        labels => Ok(labels.to_vec()),
    }
}

fn feature_names(model: &ModelProto) -> Vec<String> {
    let entry = model.metadata_props.iter().find(|entry| entry.key() == FEATURE_NAMES_KEY);
    entry.and_then(|entry| serde_json::from_str(entry.value()).ok()).unwrap_or_default()
}
