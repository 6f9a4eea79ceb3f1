//! Finding the one tree ensemble in a graph.

use bedplate_onnx::ML_DOMAIN;
use bedplate_onnx::proto::{DataType, GraphProto, NodeProto, TensorProto};

use crate::InferError;
use crate::attributes::MAX_FEATURES;
use crate::error::malformed;

/// Operators that exporters put around the ensemble and that do not change a number.
const PASSING: [&str; 3] = ["Identity", "Cast", "ZipMap"];

/// The ensemble's node; refuses graphs that compute anything else.
pub(crate) fn ensemble(graph: &GraphProto) -> Result<&NodeProto, InferError> {
    let working: Vec<&NodeProto> = graph.node.iter().filter(|node| !passes(graph, node)).collect();
    match working[..] {
        [node] if is_ensemble(node) => Ok(node),
        [] => Err(malformed("the graph computes nothing")),
        _ => {
            let other = working.iter().find(|node| !is_ensemble(node)).unwrap_or(&working[0]);
            Err(InferError::Unsupported(format!("operator {:?} beside one tree ensemble", other.op_type())))
        }
    }
}

/// Whether a node leaves numbers as they are; onnxmltools ends LightGBM models with a product by one.
fn passes(graph: &GraphProto, node: &NodeProto) -> bool {
    let is_one = |name: &String| graph.initializer.iter().any(|tensor| tensor.name() == name && holds_one(tensor));
    PASSING.contains(&node.op_type()) || (node.op_type() == "Mul" && node.input.iter().any(is_one))
}

fn holds_one(tensor: &TensorProto) -> bool {
    tensor.float_data == [1.0] || tensor.raw_data.as_deref() == Some(&1f32.to_le_bytes()[..])
}

fn is_ensemble(node: &NodeProto) -> bool {
    node.domain() == ML_DOMAIN && matches!(node.op_type(), "TreeEnsembleClassifier" | "TreeEnsembleRegressor")
}

/// Features a row must have: what the input states, and never less than what the trees `need`.
pub(crate) fn width(graph: &GraphProto, need: usize) -> Result<usize, InferError> {
    let [input] = &graph.input[..] else {
        return Err(InferError::Unsupported(format!("{} inputs instead of one", graph.input.len())));
    };
    if input.element() != Some(DataType::Float as i32) {
        return Err(InferError::Unsupported(format!("input {:?}, which is no float tensor", input.name())));
    }
    let stated = input.size(1).and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0);
    match stated {
        Some(stated) if stated < need => Err(malformed(format!("feature {} of {stated} is used", need - 1))),
        Some(stated) if stated > MAX_FEATURES => Err(malformed(format!("{stated} features"))),
        stated => Ok(stated.unwrap_or(need).max(1)),
    }
}
