//! What is answered, worked out by hand.

use bedplate_infer::Model;
use bedplate_onnx::proto::{AttributeProto, NodeProto, TensorProto};
use prost::Message;

use crate::build::{Row, Vote, bytes, ensemble, model, node};

fn stump(mode: &'static str) -> [Row; 3] {
    [(0, 0, mode, 0, 1.0, 1, 2), (0, 1, "LEAF", 0, 0.0, 0, 0), (0, 2, "LEAF", 0, 0.0, 0, 0)]
}

/// The same tree, as the second of a model.
fn second(tree: [Row; 3]) -> [Row; 3] {
    tree.map(|row| (1, row.1, row.2, row.3, row.4, row.5, row.6))
}

const VOTES: [Vote; 2] = [(0, 1, 0, 10.0), (0, 2, 0, -10.0)];

#[test]
fn every_mode_takes_its_branch() {
    let nan = f32::NAN;
    let cases: [(&str, [bool; 4]); 6] = [
        ("BRANCH_LT", [true, false, false, false]),
        ("BRANCH_LEQ", [true, true, false, false]),
        ("BRANCH_GT", [false, false, true, false]),
        ("BRANCH_GTE", [false, true, true, false]),
        ("BRANCH_EQ", [false, true, false, false]),
        ("BRANCH_NEQ", [true, false, true, false]),
    ];
    for (mode, expected) in cases {
        for missing_true in [false, true] {
            let mut node = node("target", &stump(mode), &VOTES);
            let tracks = i64::from(missing_true);
            node.attribute.push(AttributeProto::ints("nodes_missing_value_tracks_true", vec![tracks, 0, 0]));
            let model = Model::load(&bytes(vec![node], Some(1))).unwrap();
            let answers = model.predict(&[0.5, 1.0, 1.5, nan], 1).unwrap();
            let mut expected = expected.map(|yes| if yes { 10.0 } else { -10.0 });
            if missing_true {
                expected[3] = 10.0;
            }
            assert_eq!(answers, expected, "{mode} with missing {missing_true}");
        }
    }
}

#[test]
fn mixed_modes_in_one_model() {
    let rows = [stump("BRANCH_LT"), second(stump("BRANCH_GT"))].concat();
    let votes = [VOTES, VOTES.map(|vote| (1, vote.1, vote.2, vote.3 / 10.0))].concat();
    let model = Model::load(&bytes(vec![node("target", &rows, &votes)], None)).unwrap();
    assert_eq!(model.predict(&[0.5, 1.0, 1.5], 1).unwrap(), [9.0, -11.0, -9.0]);
}

#[test]
fn binary_classifier_is_the_logistic_of_the_sum() {
    let model = Model::load(&ensemble().to_onnx(r#"["x","y","z"]"#)).unwrap();
    // Row 1 goes above in every tree: 1.5 + 1.625 + 1.75 + 0.25. Row 2 goes below twice: -1 - 0.875 - 0.75 + 0.25.
    let outputs = model.infer(&[1.0, 0.0, 0.0, -1.0, f32::NAN, 0.0], 3).unwrap();
    let logistic = |x: f64| (1.0 / (1.0 + (-x).exp())) as f32;
    let expected = [logistic(-5.125), logistic(5.125), logistic(2.375), logistic(-2.375)];
    assert!(outputs.scores.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{:?}", outputs.scores);
    assert_eq!((outputs.labels, outputs.width), (vec![1, 0], 2));
    assert_eq!(model.feature_names(), ["x", "y", "z"]);
    assert_eq!(model.predict(&[], 3).unwrap(), Vec::<f32>::new());
}

#[test]
fn weights_that_are_all_positive_are_shares() {
    let votes = [(0, 1, 0, 0.75), (0, 2, 0, 0.25)];
    let mut node = node("class", &stump("BRANCH_LEQ"), &votes);
    node.attribute.push(AttributeProto::ints("classlabels_int64s", vec![7, 9]));
    let outputs = Model::load(&bytes(vec![node], Some(1))).unwrap().infer(&[0.0, 2.0], 1).unwrap();
    assert_eq!((outputs.scores, outputs.labels), (vec![0.25, 0.75, 0.75, 0.25], vec![9, 7]));
}

#[test]
fn several_classes_each_have_their_sum() {
    let votes = [(0, 1, 0, 1.0), (0, 1, 2, 3.0), (0, 2, 1, 2.0)];
    let mut node = node("class", &stump("BRANCH_LEQ"), &votes);
    node.attribute.push(AttributeProto::ints("classlabels_int64s", vec![10, 20, 30]));
    node.attribute.push(AttributeProto::floats("base_values", vec![0.5, 0.0, 0.0]));
    let outputs = Model::load(&bytes(vec![node], Some(1))).unwrap().infer(&[0.0, 2.0], 1).unwrap();
    assert_eq!(outputs.scores, [1.5, 0.0, 3.0, 0.5, 2.0, 0.0]);
    assert_eq!((outputs.labels, outputs.width), (vec![30, 20], 3));
}

#[test]
fn averages_when_asked_to() {
    let rows = [stump("BRANCH_LEQ"), second(stump("BRANCH_LEQ"))].concat();
    let votes = [VOTES, VOTES.map(|vote| (1, vote.1, vote.2, vote.3 * 2.0))].concat();
    let mut node = node("target", &rows, &votes);
    node.attribute.push(AttributeProto::text("aggregate_function", "AVERAGE"));
    assert_eq!(Model::load(&bytes(vec![node], None)).unwrap().predict(&[0.0], 1).unwrap(), [15.0]);
}

#[test]
fn what_exporters_put_around_does_not_matter() {
    let cast = |op: &str| NodeProto { op_type: Some(op.to_owned()), ..NodeProto::default() };
    let nodes = vec![node("target", &stump("BRANCH_LT"), &VOTES), cast("Cast"), cast("ZipMap"), cast("Identity")];
    assert!(Model::load(&bytes(nodes, Some(1))).is_ok());
}

#[test]
fn a_product_passes_only_by_one() {
    for (factor, runs) in [(1.0, true), (2.0, false)] {
        let input = vec!["scores".to_owned(), "factor".to_owned()];
        let product = NodeProto { op_type: Some("Mul".to_owned()), input, ..NodeProto::default() };
        let mut model = model(vec![node("target", &stump("BRANCH_LT"), &VOTES), product], Some(1));
        let constant =
            TensorProto { name: Some("factor".to_owned()), float_data: vec![factor], ..TensorProto::default() };
        model.graph.as_mut().unwrap().initializer.push(constant);
        assert_eq!(Model::load(&model.encode_to_vec()).is_ok(), runs, "{factor}");
    }
}
