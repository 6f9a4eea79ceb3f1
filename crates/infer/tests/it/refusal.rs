//! Models and rows that are refused, each with its reason.

use bedplate_infer::{InferError, Model};
use bedplate_onnx::proto::{AttributeProto, NodeProto};

use crate::build::{Row, bytes, ensemble, node};

const LEAF: (&str, i64, f32, i64, i64) = ("LEAF", 0, 0.0, 0, 0);

fn leaf(id: i64) -> Row {
    (0, id, LEAF.0, LEAF.1, LEAF.2, LEAF.3, LEAF.4)
}

fn split(id: i64, feature: i64, threshold: f32, yes: i64, no: i64) -> Row {
    (0, id, "BRANCH_LT", feature, threshold, yes, no)
}

fn check(rows: &[Row], expected: &str) {
    let votes = [(0, 1, 0, 1.0)];
    let error = Model::load(&bytes(vec![node("target", rows, &votes)], Some(2))).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn trees_that_are_none() {
    check(&[split(0, 0, 1.0, 1, 1), leaf(1)], "two parents");
    check(&[split(0, 0, 1.0, 1, 0), leaf(1)], "out of reach");
    check(&[split(0, 0, 1.0, 1, 7), leaf(1)], "no node 7");
    check(&[leaf(1), leaf(2)], "two roots");
    check(&[leaf(1), leaf(1)], "one id");
    check(&[leaf(1), split(2, 0, 0.0, 3, 4), split(3, 0, 0.0, 2, 5), leaf(4), leaf(5)], "out of reach");
    check(&[split(0, 0, 1.0, 1, 2), leaf(1), split(2, 0, 0.0, 3, 4), leaf(3), leaf(4), leaf(5)], "two roots");
}

#[test]
fn numbers_out_of_range() {
    check(&[split(0, 2, 1.0, 1, 2), leaf(1), leaf(2)], "feature 2 of 2");
    check(&[split(0, -1, 1.0, 1, 2), leaf(1), leaf(2)], "feature -1");
    check(&[split(0, i64::MAX, 1.0, 1, 2), leaf(1), leaf(2)], "out of range");
    check(&[split(0, 0, f32::NAN, 1, 2), leaf(1), leaf(2)], "not a number");
    check(&[split(1, 0, 1.0, 0, 2), leaf(0), leaf(2)], "no leaf");
}

#[test]
fn graphs_that_compute_more() {
    let tree = || node("target", &[leaf(1)], &[(0, 1, 0, 1.0)]);
    let other = NodeProto { op_type: Some("Scaler".to_owned()), ..NodeProto::default() };
    let refused = |nodes: Vec<NodeProto>| Model::load(&bytes(nodes, Some(2))).unwrap_err();
    assert!(matches!(refused(vec![tree(), other]), InferError::Unsupported(what) if what.contains("Scaler")));
    assert!(matches!(refused(vec![tree(), tree()]), InferError::Unsupported(_)));
    assert!(matches!(refused(vec![]), InferError::Malformed(_)));
    let mut probit = tree();
    probit.attribute.push(AttributeProto::text("post_transform", "PROBIT"));
    assert!(matches!(refused(vec![probit]), InferError::Unsupported(what) if what.contains("PROBIT")));
}

#[test]
fn rows_of_the_wrong_width() {
    let model = Model::load(&ensemble().to_onnx("[]")).unwrap();
    assert!(matches!(model.predict(&[0.0; 4], 2), Err(InferError::WrongWidth { expected: 3, given: 2 })));
    assert!(matches!(model.predict(&[0.0; 4], 3), Err(InferError::Ragged { values: 4, width: 3 })));
}
