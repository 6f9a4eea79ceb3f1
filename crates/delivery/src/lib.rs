//! What may go to production, and whether it still fits the world once it is there.
//!
//! Four decisions, all pure: how good a model is ([`metrics`]), whether a trained model may become a version
//! ([`gates::decide`]), how far the present has moved from the training window ([`drift::compare`], [`drift::label_shift`]), and
//! whether a feature is served as it was learned ([`skew::compare`]). Start with [`gates`]. Missing evidence never counts as success, and neither does NaN.
//! This crate knows nothing of where scores and rows come from, nor of what is done with a verdict.

pub mod drift;
pub mod gates;
mod leakage;
pub mod metrics;
pub mod skew;

pub use gates::Evidence;
pub use leakage::single_feature_auc;
pub use metrics::{auc, brier, log_loss};
