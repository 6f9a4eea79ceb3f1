//! S3 over HTTP, as boto3, pyarrow and Feast's client speak it: buckets, objects, listings, copies, uploads in parts, and
//! URLs that were signed beforehand.
//!
//! Start with [`router`], and with [`operations`], the table of what is answered; any other operation of S3 is told to be
//! none. The bucket of a namespace has the namespace's name, and is there once somebody who may has created it.
//!
//! Whoever calls is known by an access key: the id of a token, and a secret that belongs to it
//! ([`bedplate_identity::AccessKeys`]). Nothing is answered without a signature (Signature Version 4, in a header or in the
//! query). The right to `read-data` of `BucketObject`s is needed to read, `create` to write and `delete` to remove; without
//! the right to know of a bucket it is not there.
//!
//! The protocol itself (paths, XML, signatures) is the library `s3s`; the store is `bedplate-buckets`. A [`Registry`] sees
//! what is put before it counts. What is not made here is refused, not ignored: versions, access control lists, tags,
//! encryption by key, locks, storage classes. This crate does not know where namespaces are kept or what a registry is.

mod about;
mod bucket;
mod checks;
mod condition;
mod copy;
mod error;
mod gate;
mod guard;
mod listing;
mod object;
mod operation;
mod part;
mod ports;
mod receive;
mod record;
mod remove;
mod send;
mod service;
mod signer;

use std::sync::Arc;

use axum::Router;
use bedplate_buckets::Blobs;
use bedplate_db::Db;
use bedplate_identity::{AccessKeys, Authenticator};
use bedplate_policy::Policy;
use bedplate_types::Clock;

pub use gate::{Guessed, access_key};
pub use operation::operations;
pub use ports::{Caller, Namespaces, Put, Registry, Seen};

/// The region there is; clients that name another one are answered all the same.
pub const REGION: &str = "us-east-1";

/// What the service works with.
#[derive(Clone)]
pub struct Parts {
    pub db: Db,
    pub blobs: Blobs,
    pub authenticator: Authenticator,
    pub keys: AccessKeys,
    pub policy: Policy,
    pub clock: Arc<dyn Clock>,
    pub random: fn() -> [u8; 16],
    pub namespaces: Arc<dyn Namespaces>,
    /// Sees what is put, where there is one.
    pub registry: Option<Arc<dyn Registry>>,
}

/// All of a listener: S3 has the paths to itself.
pub fn router(parts: Parts) -> Router {
    Router::new().fallback_service(gate::Gated::new(service::built(parts)))
}
