//! The engine on the written file against the trainer's own predictions.

use bedplate_infer::Model;
use bedplate_onnx::Step;
use bedplate_train::TreeModel;

use crate::sample::{Random, fit, table};

/// Rows of every kind: ordinary, missing, infinite, exactly on a threshold, and one step to either side of it.
pub fn rows(model: &TreeModel, n: usize) -> Vec<[f32; 4]> {
    let thresholds: Vec<(u32, f32)> = model.ensemble().trees.iter().flatten().filter_map(threshold).collect();
    let mut random = Random(99);
    let mut pick = |of: usize| (random.unit() * of as f64) as usize;
    (0..n)
        .map(|_| {
            let mut row = [0.0; 4];
            for (feature, slot) in row.iter_mut().enumerate() {
                let of_feature: Vec<f32> = thresholds.iter().filter(|t| t.0 as usize == feature).map(|t| t.1).collect();
                let edge = of_feature[pick(of_feature.len())];
                let kinds = [edge, edge.next_down(), edge.next_up(), f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0];
                *slot = kinds[pick(kinds.len())];
            }
            row
        })
        .collect()
}

fn threshold(step: &Step) -> Option<(u32, f32)> {
    match step {
        Step::Split(split) => Some((split.feature, split.threshold)),
        Step::Leaf(_) => None,
    }
}

#[test]
fn equals_the_trainer_on_any_row() {
    let model = fit(&table(4000).request()).unwrap();
    let engine = Model::load(&model.to_onnx()).unwrap();
    let rows = rows(&model, 5000);
    let answers = engine.infer(rows.as_flattened(), 4).unwrap();
    for (row, scores) in rows.iter().zip(answers.scores.chunks_exact(2)) {
        // The trainer takes finite values only; no threshold lies beyond them.
        let finite = row.map(|value| value.clamp(f32::MIN, f32::MAX));
        let expected = model.trainer_probability(&finite).unwrap();
        assert!((scores[1] - expected).abs() < 1e-6, "{row:?}: {} instead of {expected}", scores[1]);
        assert!((scores[0] + scores[1] - 1.0).abs() < 1e-6);
    }
}

#[test]
fn learns_the_label() {
    let table = table(4000);
    let model = fit(&table.request()).unwrap();
    let engine = Model::load(&model.to_onnx()).unwrap();
    let flat: Vec<f32> = (0..4000).flat_map(|row| table.columns.iter().map(move |column| column[row] as f32)).collect();
    let scores = engine.predict(&flat, 4).unwrap();
    let mean = |label: f64| {
        let of: Vec<f32> = scores.iter().zip(&table.labels).filter(|p| *p.1 == label).map(|p| *p.0).collect();
        of.iter().sum::<f32>() / of.len() as f32
    };
    assert!(mean(1.0) - mean(0.0) > 0.15, "{} against {}", mean(1.0), mean(0.0));
    assert_eq!(engine.feature_names(), table.names);
    assert_eq!((engine.n_features(), engine.labels()), (4, &[0, 1][..]));
}

#[test]
fn same_request_same_bytes_on_any_threads() {
    let table = table(3000);
    let bytes = fit(&table.request()).unwrap().to_onnx();
    let mut other = table.request();
    other.threads = 1;
    assert_eq!(fit(&other).unwrap().to_onnx(), bytes);
    other.seed = 2;
    assert_ne!(fit(&other).unwrap().to_onnx(), bytes);
}

#[test]
fn importance_adds_up_and_names_every_feature() {
    let importance = fit(&table(3000).request()).unwrap().importance();
    assert_eq!(importance.len(), 4);
    assert!((importance.iter().map(|share| share.1).sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(importance.windows(2).all(|pair| pair[0].1 >= pair[1].1));
}
