//! The reference runtime reads the same file and gives the same answer to every row.

use std::path::Path;
use std::process::Command;

use bedplate_infer::Model;
use bedplate_testkit::{not_run, python};

use crate::parity::rows;
use crate::sample::{fit, table};

const WIDTH: usize = 4;

#[test]
fn equals_onnxruntime_on_any_row() {
    let Some(python) = python() else {
        return not_run("our engine beside onnxruntime: no Python environment (cargo xtask test makes one)");
    };
    let model = fit(&table(4000).request()).unwrap();
    let rows = rows(&model, 5000);
    let onnx = model.to_onnx();
    let theirs = scores(&python, &onnx, rows.as_flattened());
    let ours = Model::load(&onnx).unwrap().infer(rows.as_flattened(), WIDTH).unwrap().scores;
    assert_eq!((ours.len(), theirs.len()), (2 * rows.len(), 2 * rows.len()));
    for ((row, ours), theirs) in rows.iter().zip(ours.chunks_exact(2)).zip(theirs.chunks_exact(2)) {
        let apart = ours.iter().zip(theirs).map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-6, "{row:?}: {ours:?} here, {theirs:?} there");
    }
}

/// Two probabilities a row, as onnxruntime has them.
fn scores(python: &Path, onnx: &[u8], rows: &[f32]) -> Vec<f32> {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("model.onnx"), onnx).unwrap();
    std::fs::write(at("rows"), rows.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
    let script = include_str!("onnxruntime.py");
    let output = Command::new(python).args(["-c", script, &WIDTH.to_string()]).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bytes = std::fs::read(at("scores")).unwrap();
    bytes.as_chunks().0.iter().map(|value| f32::from_le_bytes(*value)).collect()
}
