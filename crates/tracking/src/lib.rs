//! The model registry's decisions: which number a trained model gets, and which version somebody means.
//!
//! A version is known by the digest of its bytes, so registering the same model twice is no second version: start with
//! [`next_version`]. [`resolve`] turns "the newest" or a number into a version. This crate knows nothing of where
//! models are kept, nor of whether one deserves to be registered (that is `delivery`).

mod registry;

pub use registry::{Registration, RegistryError, next_version, resolve};
