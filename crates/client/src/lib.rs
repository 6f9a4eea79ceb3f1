//! What the command line does to a running platform: one file per verb.
//!
//! Start with [`Connection`], which is read from a kubeconfig and becomes a `kube::Client`; [`Resources`] turns the word a
//! person typed (`ds`, `datasets`, `Dataset`) into a kind by the server's own discovery. Verbs return data; [`print`]
//! writes it to whatever the caller hands over.
//! This crate knows no home folder, no environment and no terminal: the binary decides the path, the colours and the exit.

mod apply;
mod audit;
mod backup;
mod connection;
mod costs;
mod data;
mod delete;
mod describe;
mod error;
mod events;
mod features;
mod get;
mod login;
mod logs;
mod manifest;
mod policy;
mod post;
mod predict;
pub mod print;
mod request;
mod resource;
mod search;
mod sql;
mod table;
mod token;
mod trace;
mod trust;
mod watch;

pub use apply::{Applied, Outcome, apply};
pub use audit::{
    AuditLogQuery, Exported, audit_export, audit_log, audit_prove, audit_prove_from, audit_verify, audit_verify_folder,
    audit_witnesses,
};
pub use backup::{LEFT_OUT, backup};
pub use connection::Connection;
pub use costs::{CostsQuery, costs, costs_reverse, costs_verify};
pub use data::{
    DataVacuum, QuarantineReview, data_history, data_optimize, data_profile, data_quarantine, data_restore,
    data_review, data_vacuum, data_versions,
};
pub use delete::{Deleted, delete, delete_manifests};
pub use describe::{Description, describe};
pub use error::ClientError;
pub use events::{Event, events_of};
pub use features::{
    FeaturesDrift, FeaturesLimits, FeaturesSkew, FeaturesStatistics, FeaturesVerify, FeaturesWindow, features_drift,
    features_skew, features_statistics, features_verify,
};
pub use get::{Query, Scope, objects, table};
pub use login::{login, login_device, login_provider};
pub use logs::{Follow, logs};
pub use manifest::{Manifest, ManifestError, load_manifests, parse_manifests};
pub use policy::{CASES, Decisions, PolicyFiles, policy_decisions, policy_files, policy_why};
pub use post::post;
pub use predict::{infer_request, predict};
pub use request::escaped as segment;
pub use resource::{Resource, Resources, discover};
pub use search::{SearchQuery, search};
pub use sql::{SqlAnswer, SqlQuery, rows_as_text, sql};
pub use table::{Column, Row, Table};
pub use token::{certificate_issue, certificate_list, certificate_revoke, token_create, token_list, token_revoke};
pub use trace::{Direction, impact, trace};
pub use trust::{Identity, Trust, connector};
pub use watch::{Change, ChangeKind, watch};
