//! What may go to production, and whether it still fits the world once it is there.
//!
//! Three decisions, all pure: how good a model is ([`metrics`]), whether a trained model may become a version
//! ([`gates::decide`]), and how far the present has moved from the training window ([`drift::compare`],
//! [`drift::label_shift`]). Start with [`gates`]. Missing evidence never counts as success, and neither does NaN.
//! This crate knows nothing of where scores and rows come from, nor of what is done with a verdict.

pub mod drift;
pub mod gates;
mod leakage;
pub mod metrics;

pub use gates::Evidence;
pub use leakage::single_feature_auc;
pub use metrics::{auc, brier, log_loss};
