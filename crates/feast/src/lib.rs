//! Feast's feature server over REST, as Feast 0.67's own client uses it: `POST /get-online-features`, `/push`,
//! `/write-to-online-store`, `/materialize`, `/materialize-incremental`, `GET /health`.
//!
//! Start with [`router`] and [`FeatureStore`], the port behind which features live. A pushed data frame becomes one Arrow
//! record batch; the answer to a push is given when it is durable. Errors are told the way Feast tells them, so that its
//! client raises the exception its user knows.
//!
//! The namespace is, in this order: the header `x-bedplate-namespace`, the caller's own for a workload or a service account, `default`.
//! Pushing needs the right to push feature views, reading the right to `read-data`, asked for each view with the tags of
//! the data it is made of and the purpose in the header `x-bedplate-purpose`. What a caller has no right to see in a
//! namespace looks exactly like what is not there.
//!
//! [`registry`] reads what `feast apply` writes: which objects it would be here, and what cannot be.
//!
//! Feast's offline server is here too (`offline.rs`), for a listener that speaks gRPC: [`offline_router`] and
//! [`OfflineStore`], the port behind which history lives.
//!
//! Pushes go to the online store only: `to` other than `online` is refused, not ignored. Values are known as of now, no
//! older than the view's time to live. This crate knows nothing of keys, or of where rows are.

mod answer;
mod body;
mod error;
mod frame;
mod guard;
mod heading;
mod materialize;
mod offline;
mod push;
mod read;
pub mod registry;
mod store;
mod write;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get, post};
use bedplate_identity::Authenticator;
use bedplate_policy::{Action, Hidden, Operation, Policy};

pub use offline::{
    FRAME_LIMIT, FRAME_MEMORY, FRAME_TIME, FRAMES, Labels, MESSAGE_LIMIT, Offline, OfflineStore, Pull, Reader, Table,
    offline_operations, offline_router,
};
pub use store::{Cell, FeatureStore, Features, NamedView, Range, Selected, SelectedView, Status, StoreError};

/// The largest request body, in bytes.
pub const BODY_LIMIT: usize = 16 << 20;

/// Feast's paths at the root, with no fallback: made to be merged into another router.
pub fn router(store: Arc<dyn FeatureStore>, authenticator: Authenticator, policy: Policy) -> Router {
    let served = Arc::new(Served { store, guard: guard::Guard { authenticator, policy } });
    let routes = table().into_iter();
    routes.fold(Router::new(), |router, (operation, handler)| router.route(&operation.path, handler)).with_state(served)
}

/// Every operation of [`router`], and who may.
#[must_use]
pub fn operations() -> Vec<Operation> {
    table().into_iter().map(|(operation, _)| operation).collect()
}

fn table() -> Vec<(Operation, MethodRouter<Arc<Served>>)> {
    let may = |path, action| Operation::may("POST", path, action, guard::KIND, Hidden::NotFound);
    vec![
        (Operation::open("GET", "/health"), get(async || StatusCode::OK)),
        (may("/get-online-features", Action::ReadData), post(read::get_online_features)),
        (may("/push", Action::Push), post(push::push)),
        (may("/write-to-online-store", Action::Push), post(write::write)),
        (may("/materialize", Action::Push), post(materialize::materialize)),
        (may("/materialize-incremental", Action::Push), post(materialize::incremental)),
    ]
}

/// What the handlers share.
struct Served {
    store: Arc<dyn FeatureStore>,
    guard: guard::Guard,
}
