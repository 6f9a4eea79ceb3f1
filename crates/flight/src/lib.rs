//! Arrow Flight SQL over gRPC, as ADBC drivers speak it: statements that read, and what there is to read.
//!
//! Start with [`router`] and [`Statements`], the port behind which statements are answered. Whoever calls is known before
//! anything is looked at: a bearer token, or user and password of which the password is the token, at the handshake or
//! with every call.
//!
//! The namespace is, in this order: the header `x-bedplate-namespace`, the caller's own for a workload or a service account,
//! `default`; it is the one schema of the one catalog `bedplate`. What rows are read for is in the header
//! `x-bedplate-purpose`, and where the statement is to run in `x-bedplate-engine`.
//!
//! A ticket is a statement, sealed: it says whose it is and nobody else can use or change it. It opens nothing by itself:
//! `DoGet` asks again for every table. Prepared statements are the same, so that the server keeps none.
//!
//! Nothing is written: transactions, Substrait plans and parameters are refused, and `DoPut` and `DoExchange` are not here:
//! what they would bring is another protocol's. Specification: Arrow's `FlightSql.proto`. This crate knows nothing of SQL,
//! tables or who may read them.

mod caller;
mod info;
mod seal;
mod service;
mod statements;
mod status;

use std::sync::Arc;

use arrow_flight::flight_service_server::FlightServiceServer;
use axum::Router;
use axum::middleware;
use bedplate_identity::Authenticator;
use bedplate_policy::{Action, Hidden, Operation};

pub use statements::{Caller, Rows, Statements, Table};
pub use status::refusal;

/// The service, on a listener of its own. `key` seals tickets: replicas that share it honour each other's.
pub fn router(statements: Arc<dyn Statements>, authenticator: Authenticator, key: [u8; 32]) -> Router {
    let service = FlightServiceServer::new(service::Service::new(statements, seal::Seal::new(&key)));
    let calls = operations().into_iter();
    let router = calls.fold(Router::new(), |router, call| router.route_service(&call.path, service.clone()));
    router.layer(middleware::from_fn_with_state(authenticator, caller::known))
}

/// Every call of [`router`], and who may. All of it is about the datasets of a namespace: which ones, the call's message
/// says, and a refusal is a gRPC status.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let reads = |path| Operation::may("POST", path, Action::ReadData, "Dataset", Hidden::NotFound);
    let known = |path| Operation::signed_in("POST", path);
    vec![
        reads("/arrow.flight.protocol.FlightService/GetFlightInfo"),
        reads("/arrow.flight.protocol.FlightService/DoGet"),
        reads("/arrow.flight.protocol.FlightService/DoAction"),
        known("/arrow.flight.protocol.FlightService/Handshake"),
        known("/arrow.flight.protocol.FlightService/ListActions"),
        // There is nothing behind these for anybody.
        known("/arrow.flight.protocol.FlightService/ListFlights"),
        known("/arrow.flight.protocol.FlightService/PollFlightInfo"),
        known("/arrow.flight.protocol.FlightService/GetSchema"),
    ]
}
