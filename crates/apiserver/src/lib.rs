//! The API server: Kubernetes' REST protocol for bedplate's kinds, on bedplate's own database.
//!
//! It decides what may be written (identity, policy, schema, the kind's own rules), writes it in **one transaction**
//! (object, change record, audit leaf), and tells watchers. kubectl and kube-rs are its clients and need nothing special.
//! Start with [`ApiServer`]; then `routes` and `call` (a request arrives), `write` (the one write path), `watch` (how it is told on).
//! [`Resource`] is the noun: one served resource with its schema and columns.
//!
//! Whoever governs changes is asked in the transaction of each write ([`Governance`]). [`Batch`] is many writes as one: in
//! rehearsal, of which nothing is kept, or in earnest, all or nothing.
//!
//! On a real cluster, whose own API server stores the objects, [`Admission`] judges writes by the same rules.
//!
//! It does not know who reconciles a kind, and has no background work of its own: owners' dependents and the contents of
//! a namespace are deleted in the transaction of the deletion that causes it. When several replicas share a database,
//! [`ApiServer::follow`] makes what the others write count here, and [`ApiServer::through`] is the server for the one of them
//! that leads.
//!
//! Secrets are sealed (`seal`) with a key that is not in the database; neither their data nor a digest of it reaches the
//! audit log or any other log.

mod admission;
mod admit;
mod batch;
mod binding;
mod body;
mod builtin;
mod call;
mod catalogue;
mod collect;
mod columns;
mod definition;
mod dependents;
mod discovery;
mod error;
mod event;
mod feed;
mod follow;
mod governance;
mod guard;
mod jsonpath;
mod key;
mod lease;
mod managed;
mod meta;
mod migrations;
mod moment;
mod names;
mod openapi;
mod operations;
mod options;
mod patch;
mod place;
mod price_sheet;
mod propagation;
mod protobuf;
mod read;
mod represent;
mod resource;
mod review;
mod routes;
mod rule;
mod schema;
mod seal;
mod secret;
mod selectors;
mod server;
mod sight;
mod snapshot;
mod status;
mod store;
mod table;
mod target;
mod verb;
mod watch;
mod write;

pub use admission::{Admission, AdmissionOptions, Trusted};
pub use batch::{Action, Batch, Check, Expect, Failure, Rehearsed, Step, Wish};
pub use error::{ApiError, Cause};
pub use governance::{Admitted, Denied, Governance, Operation, Proposed, Refusal, Stored};
pub use lease::is_held;
pub use migrations::MIGRATIONS;
pub use operations::operations;
pub use resource::Resource;
pub use server::{ApiServer, Options};
pub use sight::tags;
