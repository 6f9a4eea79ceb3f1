//! OpenLineage in, Marquez' read API out: what other tools tell of their jobs, runs and datasets.
//!
//! Start with [`router`]. `event.rs` reads one event of OpenLineage 2-0-2 and names the field that is wrong; `store/` keeps
//! it whole, derives namespaces, jobs, runs, datasets and column lineage from it, and adds one audit leaf, all in one
//! transaction; `read/` answers in the shapes of Marquez 0.51. [`export`] writes bedplate's own lineage as events.
//!
//! Events come late, twice and in any order, so everything derived is a join: the earliest and the latest time, the union
//! of edges, and for a value the word of the latest event time (of the greater digest, at one time). The end of a run
//! is the latest of its ending events; nothing moves an ended run back. An event is known by the SHA-256 of its bytes.
//!
//! A namespace of OpenLineage is one of bedplate when it is spelled like one (`flights`); any other
//! (`s3://bucket`, `postgres://db:5432`) belongs to the platform as a whole. An event is taken from who may create `lineage` in
//! every namespace it names, and shown to who may read in all of them; what may not be seen looks like what is not there.
//!
//! This crate does not know bedplate's own tables, views and models, and does not fetch what a facet's schema URL names.

mod answer;
mod body;
mod call;
mod dataset;
mod error;
mod event;
mod export;
mod guard;
mod ingest;
mod node_id;
mod part;
mod read;
mod run_state;
mod schema;
mod scope;
mod sight;
mod store;

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, get, post};
use bedplate_db::Db;
use bedplate_identity::Authenticator;
use bedplate_policy::{Action, Hidden, Operation, Policy};
use bedplate_types::Clock;

pub use export::{Origin, export};
pub use schema::MIGRATIONS;

/// The largest request body as it is sent, in bytes.
pub const BODY_LIMIT: usize = 4 << 20;

/// The largest request body once it is decompressed, in bytes.
pub const INFLATED_LIMIT: usize = 16 << 20;

/// The most events of one batch.
pub const BATCH_LIMIT: usize = 1_000;

/// The most nodes of a lineage graph; one that has more says `"truncated": true`.
pub const MAX_NODES: usize = 1_000;

/// Everything, with no fallback. `/api/v1/namespaces` is also a path of Kubernetes: give it a port of its own, or nest it.
pub fn router(db: Db, authenticator: Authenticator, policy: Policy, clock: Arc<dyn Clock>) -> Router {
    routed([table_in(), table_out()].concat()).with_state(Served::new(db, authenticator, policy, clock))
}

/// The paths that take events, and no others: made to be merged into another router.
pub fn ingest(db: Db, authenticator: Authenticator, policy: Policy, clock: Arc<dyn Clock>) -> Router {
    routed(table_in()).with_state(Served::new(db, authenticator, policy, clock))
}

/// Every operation of [`router`], and who may.
#[must_use]
pub fn operations() -> Vec<Operation> {
    [table_in(), table_out()].concat().into_iter().map(|(operation, _)| operation).collect()
}

/// Every operation of [`ingest`], and who may.
#[must_use]
pub fn ingest_operations() -> Vec<Operation> {
    table_in().into_iter().map(|(operation, _)| operation).collect()
}

type Table = Vec<(Operation, MethodRouter<Arc<Served>>)>;

fn routed(table: Table) -> Router<Arc<Served>> {
    table.into_iter().fold(Router::new(), |router, (operation, handler)| router.route(&operation.path, handler))
}

fn table_in() -> Table {
    let tell = |path| Operation::may("POST", path, Action::Create, sight::KIND, Hidden::NotFound);
    vec![
        (tell("/api/v1/lineage"), post(ingest::one)),
        (tell("/api/lineage"), post(ingest::one)),
        (tell("/api/v1/lineage/batch"), post(ingest::batch)),
        (tell("/api/lineage/batch"), post(ingest::batch)),
    ]
}

fn table_out() -> Table {
    let ask = |path, action, hidden| Operation::may("GET", path, action, sight::KIND, hidden);
    let one = |path| ask(path, Action::Get, Hidden::NotFound);
    let all_in = |path| ask(path, Action::List, Hidden::NotFound);
    let all = |path| ask(path, Action::List, Hidden::LeftOut);
    vec![
        (all("/api/v1/namespaces"), get(read::namespaces::list)),
        (one("/api/v1/namespaces/{namespace}"), get(read::namespaces::get)),
        (all_in("/api/v1/namespaces/{namespace}/datasets"), get(read::datasets::list)),
        (one("/api/v1/namespaces/{namespace}/datasets/{*rest}"), get(read::datasets::get)),
        (all_in("/api/v1/namespaces/{namespace}/jobs"), get(read::jobs::list)),
        (one("/api/v1/namespaces/{namespace}/jobs/{*rest}"), get(read::jobs::get)),
        (one("/api/v1/jobs/runs/{id}"), get(read::runs::get)),
        (all("/api/v1/events/lineage"), get(read::events::list)),
        (all("/api/v1/search"), get(read::search::search)),
        (all_in("/api/v1/lineage"), get(read::lineage::walk)),
        (all_in("/api/v1/column-lineage"), get(read::columns::walk)),
    ]
}

/// What the handlers share.
struct Served {
    db: Db,
    guard: guard::Guard,
    clock: Arc<dyn Clock>,
}

impl Served {
    fn new(db: Db, authenticator: Authenticator, policy: Policy, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { db, guard: guard::Guard { authenticator, policy }, clock })
    }
}
