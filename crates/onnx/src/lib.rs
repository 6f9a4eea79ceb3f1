//! The part of ONNX bedplate reads and writes: protobuf messages, a bounded parser, and a writer of boosted trees.
//!
//! Start with [`TreeEnsemble`], which becomes a `TreeEnsembleClassifier` model, and [`parse`], which reads any ONNX
//! file within a given size. The messages in [`proto`] are declared by hand after `onnx.proto` (IR version 8) so that
//! no `protoc` is needed; fields nobody here reads are left out and skipped.
//! This crate knows nothing of files, of running a model (`bedplate-infer`) or of fitting one (`bedplate-train`).

mod attribute;
mod parse;
pub mod proto;
mod tensor;
mod trees;

pub use parse::{OnnxError, parse};
pub use trees::{Split, Step, TreeEnsemble};

/// The operator domain of classical machine learning.
pub const ML_DOMAIN: &str = "ai.onnx.ml";
/// The `metadata_props` key that holds the feature names as a JSON list, in input order.
pub const FEATURE_NAMES_KEY: &str = "bedplate.feature_names";
