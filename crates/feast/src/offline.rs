//! Feast's offline server over Arrow Flight, as the remote offline store of Feast 0.67's own client uses it: `DoExchange`
//! takes a frame of rows up and gives a table back, `DoPut` takes one up.
//!
//! What is asked for is JSON in the descriptor of the first message: `api` and its parameters. A frame is taken whole before
//! anything is answered, also when it is refused: the client speaks until it is done, and only then listens. Failures are
//! what Feast's own server writes, `Flight error: ` and the exception in JSON, from which the client makes it again.
//!
//! The namespace is as everywhere, except that Feast's `project` stands in place of `default`.

mod command;
mod exchange;
mod names;
mod put;
mod refusal;
mod spool;
mod store;
mod time;
mod upload;

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::{FlightService, FlightServiceServer};
use arrow_flight::{
    Action as Call, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest,
    HandshakeResponse, PollInfo, PutResult, Result as CallResult, SchemaResult, Ticket,
};
use axum::Router;
use bedplate_identity::Authenticator;
use bedplate_policy::{Action, Hidden, Operation, Policy};
use futures::Stream;
use tonic::{Request, Response, Status, Streaming};

pub(crate) use command::moment;
pub use store::{Labels, OfflineStore, Pull, Reader, Table};

use crate::FeatureStore;
use crate::guard::{self, Guard};

/// The largest message of a frame, in bytes. The client sends a data frame as one.
pub const MESSAGE_LIMIT: usize = 256 << 20;
/// The largest frame, in bytes.
pub const FRAME_LIMIT: usize = 4 << 30;
/// What of a frame is held in memory, in bytes: a larger one is in a file meanwhile.
pub const FRAME_MEMORY: usize = 16 << 20;
/// Frames that are taken up at once; others wait.
pub const FRAMES: usize = 4;
/// How long one may take to come.
pub const FRAME_TIME: Duration = Duration::from_secs(600);

/// What answers of history, and where.
pub struct Offline {
    /// Knows which features there are.
    pub features: Arc<dyn FeatureStore>,
    pub history: Arc<dyn OfflineStore>,
    /// Where large frames are put, as files without names.
    pub scratch: PathBuf,
}

/// The two calls, with no fallback: made to be merged into another service's router.
pub fn offline_router(offline: Offline, authenticator: Authenticator, policy: Policy) -> Router {
    let turns = Arc::new(tokio::sync::Semaphore::new(FRAMES));
    let server = Server { offline: Arc::new(offline), guard: Arc::new(Guard { authenticator, policy }), turns };
    let service = FlightServiceServer::new(server).max_decoding_message_size(MESSAGE_LIMIT);
    let calls = offline_operations().into_iter();
    calls.fold(Router::new(), |router, call| router.route_service(&call.path, service.clone()))
}

/// Every call of [`offline_router`], and who may. What they are about, the call's message says, and a refusal is a gRPC
/// status.
#[must_use]
pub fn offline_operations() -> Vec<Operation> {
    let reads = |path, kind| Operation::may("POST", path, Action::ReadData, kind, Hidden::NotFound);
    vec![
        reads("/arrow.flight.protocol.FlightService/DoExchange", guard::KIND),
        reads("/arrow.flight.protocol.FlightService/DoPut", "Dataset"),
    ]
}

#[derive(Clone)]
struct Server {
    offline: Arc<Offline>,
    guard: Arc<Guard>,
    turns: Arc<tokio::sync::Semaphore>,
}

type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The calls that no route leads to.
fn elsewhere<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("not spoken here"))
}

#[tonic::async_trait]
impl FlightService for Server {
    type HandshakeStream = Messages<HandshakeResponse>;
    type ListFlightsStream = Messages<FlightInfo>;
    type DoGetStream = Messages<FlightData>;
    type DoPutStream = Messages<PutResult>;
    type DoActionStream = Messages<CallResult>;
    type ListActionsStream = Messages<ActionType>;
    type DoExchangeStream = Messages<FlightData>;

    async fn do_exchange(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoExchangeStream>, Status> {
        self.exchange(request).await.map_err(|error| refusal::status(&error))
    }

    async fn do_put(&self, request: Request<Streaming<FlightData>>) -> Result<Response<Self::DoPutStream>, Status> {
        self.put(request).await
    }

    async fn handshake(
        &self,
        _: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        elsewhere()
    }

    async fn list_flights(&self, _: Request<Criteria>) -> Result<Response<Self::ListFlightsStream>, Status> {
        elsewhere()
    }

    async fn get_flight_info(&self, _: Request<FlightDescriptor>) -> Result<Response<FlightInfo>, Status> {
        elsewhere()
    }

    async fn poll_flight_info(&self, _: Request<FlightDescriptor>) -> Result<Response<PollInfo>, Status> {
        elsewhere()
    }

    async fn get_schema(&self, _: Request<FlightDescriptor>) -> Result<Response<SchemaResult>, Status> {
        elsewhere()
    }

    async fn do_get(&self, _: Request<Ticket>) -> Result<Response<Self::DoGetStream>, Status> {
        elsewhere()
    }

    async fn do_action(&self, _: Request<Call>) -> Result<Response<Self::DoActionStream>, Status> {
        elsewhere()
    }

    async fn list_actions(&self, _: Request<Empty>) -> Result<Response<Self::ListActionsStream>, Status> {
        elsewhere()
    }
}
