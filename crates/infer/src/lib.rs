//! Runs tree models: ONNX `TreeEnsembleClassifier` and `TreeEnsembleRegressor` (ai.onnx.ml 1 and 3), as bedplate writes
//! them and as skl2onnx and onnxmltools write boosted trees and forests.
//!
//! Start with [`Model::load`], which checks a model so thoroughly that running it cannot fail on anything but the shape
//! of the rows: every index is in range, every tree is a tree. [`Model::predict`] and [`Model::infer`] then follow
//! onnxruntime: 32-bit floats, leaves summed in the order of the trees, NaN is missing.
//!
//! This crate knows nothing of HTTP, of files, of names of endpoints, or of how features come to be.

mod attributes;
mod error;
mod forest;
mod graph;
mod head;
mod layout;
mod model;

pub use error::InferError;
pub use model::{Model, Outputs};
