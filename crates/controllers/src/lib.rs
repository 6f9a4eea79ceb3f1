//! Controllers: what turns a declared object into a running thing, one file a kind.
//!
//! Each reads the object and what it names, decides whether anything is left to do, does it, and writes `status`.
//! A reconcile takes no hints and is idempotent: killed anywhere, it is run again and completes. What it did is told by
//! digests of its inputs, so what a status tells of is not worked on again. Start with [`Platform`] and [`run`], then read
//! the kinds in the order of a use case: dataset, feature_view, feature_service, training_recipe, workload, endpoint,
//! monitor. The decisions themselves live in the pillars; this crate only carries them out.

mod approval;
mod asked_rows;
mod bindings;
mod budget;
mod change_class;
mod core;
mod data_use;
mod dataset;
mod digest;
mod elsewhere;
mod endpoint;
mod entity;
mod event;
mod expectation_suite;
mod feature_service;
mod feature_view;
mod glossary_term;
mod hold;
mod job_token;
mod jobs;
mod lineage;
mod model;
mod monitor;
mod parity;
mod policy;
mod price_sheet;
mod profiles;
mod profiling;
mod quota;
mod registration;
mod replay;
mod results;
mod review;
mod role_binding;
mod run;
mod site;
mod snapshot;
mod source_rows;
mod standing;
mod statistics;
mod suite_references;
mod train;
mod training_recipe;
mod training_set;
mod upkeep;
mod verifier;
mod verifying;
mod workload;

pub use bindings::follow_bindings;
pub use core::{Platform, Sites};
pub use elsewhere::{ASKED, Attempts};
pub use feature_view::{online_id, source_columns};
pub use jobs::{FEATURE_PREFIX, KnownBy, PushFrame, ReplayJob, ReplayResult, TrainJob, TrainResult};
pub use parity::{Look, look};
pub use profiles::{DatasetProfile, KEPT_PROFILES, profile, profiled_versions};
pub use results::{IngestResult, results};
pub use run::run;
pub use statistics::{Declared, Trained, declared};
pub use verifier::Verifier;

/// The tables this crate keeps.
pub const MIGRATIONS: &[bedplate_db::Migration] = &[results::RESULTS, profiles::PROFILES];
