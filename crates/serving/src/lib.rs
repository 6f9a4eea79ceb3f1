//! Serving: what happens between a request's columns and its probabilities.
//!
//! A deployment is a verified model version, the encoder of its request features and its feature views, in the order the
//! model was trained on. [`Deployments::predict`] looks the features up by entity key *as known at the request's own
//! moment*, runs the model, and hands a record of every row to a bounded queue that never slows the reply.
//! Start with [`Deployment`]. This crate knows nothing of HTTP, of who may ask, or of where models are kept.

mod deployment;
mod frame;
mod predict;
mod record;
mod signature;

pub use deployment::{Deployment, Deployments, ViewBinding};
pub use predict::{PredictError, Prediction};
pub use record::{MIGRATIONS, Recorder, StoredPrediction, count, find, latest};
pub use signature::Signature;
