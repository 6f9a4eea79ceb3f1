//! The Open Inference Protocol v2 over REST, with Triton's binary tensors: what tritonclient and KServe clients speak.
//!
//! Start with [`router`] and [`Predictor`], the port behind which predictions are made. A request carries one tensor per
//! column (name = column, shape `[N]` or `[N, 1]`), and everything about it is checked against the endpoint's metadata
//! before the predictor sees it: a wrong request is a 4xx naming the tensor, never a 500.
//!
//! **Which endpoint.** `{model}` in a URL is an Endpoint's name. Its namespace is, in this order: the header
//! `x-bedplate-namespace`; the part before the first dot of `{model}` (`flights.delay`; so a name that has dots needs the
//! header); the caller's own namespace, for a workload; `default`.
//!
//! **What for.** The header `x-bedplate-purpose`: data that may be used for some purposes only binds the models trained from
//! it.
//!
//! **Who.** Bearer tokens; what a caller has no right to see in a namespace looks exactly like what is not there.
//!
//! **Ids.** The request's `id`, or a new one, comes back; row `i` of the request is prediction `<id>/<i>`.
//!
//! Specification: kserve/open-inference-protocol, `specification/protocol/`; the binary extension is Triton's
//! `extension_binary_data`. This crate knows nothing of models, features or the stores they come from.

mod binary;
mod columns;
mod data;
mod datatype;
mod error;
mod guard;
mod infer;
mod metadata;
mod predictor;
mod request;
mod response;
mod server;
mod target;

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, any, get, post};
use bedplate_identity::Authenticator;
use bedplate_policy::{Action, Hidden, Operation, Policy};

pub use datatype::Datatype;
pub use predictor::{
    Answer, Call, Column, ColumnValues, InputMetadata, ModelMetadata, OutputMetadata, OutputTensor, PredictError,
    Predictor,
};

/// The largest request body, in bytes.
pub const BODY_LIMIT: usize = 16 << 20;

/// Everything under `/v2`. It sets no fallback outside of it, so it can be merged into another router.
pub fn router(predictor: Arc<dyn Predictor>, authenticator: Authenticator, policy: Policy) -> Router {
    let served = Arc::new(Served { predictor, guard: guard::Guard { authenticator, policy } });
    let routes = table().into_iter();
    routes.fold(Router::new(), |router, (operation, handler)| router.route(&operation.path, handler)).with_state(served)
}

/// Every operation of [`router`], and who may.
#[must_use]
pub fn operations() -> Vec<Operation> {
    table().into_iter().map(|(operation, _)| operation).collect()
}

fn table() -> Vec<(Operation, MethodRouter<Arc<Served>>)> {
    let ask = |path| Operation::may("GET", path, Action::Get, guard::KIND, Hidden::NotFound);
    let infer = |path| Operation::may("POST", path, Action::Predict, guard::KIND, Hidden::NotFound);
    vec![
        (Operation::open("GET", "/v2"), only(get(server::metadata))),
        (Operation::open("GET", "/v2/"), only(get(server::metadata))),
        (Operation::open("GET", "/v2/health/live"), only(get(server::live))),
        (Operation::open("GET", "/v2/health/ready"), only(get(server::ready))),
        (ask("/v2/models/{model}"), only(get(metadata::model))),
        (ask("/v2/models/{model}/ready"), only(get(metadata::ready))),
        (infer("/v2/models/{model}/infer"), only(post(infer::infer))),
        (ask("/v2/models/{model}/versions/{version}"), only(get(metadata::model))),
        (ask("/v2/models/{model}/versions/{version}/ready"), only(get(metadata::ready))),
        (infer("/v2/models/{model}/versions/{version}/infer"), only(post(infer::infer))),
        (Operation::open("ANY", "/v2/{*rest}"), any(server::unknown)),
    ]
}

/// Another method gets the protocol's own shape of error.
fn only(method: MethodRouter<Arc<Served>>) -> MethodRouter<Arc<Served>> {
    method.fallback(server::wrong_method)
}

/// What the handlers share.
struct Served {
    predictor: Arc<dyn Predictor>,
    guard: guard::Guard,
}
