//! A request arrives: the addresses, and who asks.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};
use axum::{Extension, Router};
use bedplate_identity::Principal;
use bedplate_policy::Operation;
use bedplate_types::{ErrorKind, Explained};
use http::header;

use crate::call::Call;
use crate::error::ApiError;
use crate::guard::Presented;
use crate::server::Inner;
use crate::watch::in_background;
use crate::{discovery, openapi, review, store};

type Server = Arc<Inner>;

/// The routes, each request as the bearer of its token.
pub fn authenticated(server: Server) -> Router {
    api().layer(middleware::from_fn_with_state(server.clone(), authenticate)).merge(open()).with_state(server)
}

/// The routes, each request as `principal`.
pub fn in_process(server: Server, principal: Principal) -> Router {
    api().layer(Extension(principal)).merge(open()).with_state(server)
}

type Table = Vec<(Operation, MethodRouter<Server>)>;

fn routed(table: Table) -> Router<Server> {
    table.into_iter().fold(Router::new(), |router, (operation, handler)| router.route(&operation.path, handler))
}

/// Every operation on an address of its own. Those on resources are [`operations::of`](crate::operations).
pub fn operations() -> impl Iterator<Item = Operation> {
    [open_table(), signed_in_table()].concat().into_iter().map(|(operation, _)| operation)
}

/// What anybody may ask.
fn open() -> Router<Server> {
    routed(open_table())
}

fn open_table() -> Table {
    vec![
        (Operation::open("GET", "/version"), get(discovery::version)),
        (Operation::open("GET", "/healthz"), get(|| async { "ok" })),
        (Operation::open("GET", "/livez"), get(|| async { "ok" })),
        (Operation::open("GET", "/readyz"), get(ready)),
    ]
}

/// What is the same for whoever is signed in, or about the caller alone.
fn signed_in_table() -> Table {
    let read = |path| Operation::signed_in("GET", path);
    let ask = |path| Operation::signed_in("POST", path);
    vec![
        (read("/api"), get(discovery::api)),
        (read("/apis"), get(discovery::apis)),
        (read("/apis/{group}"), get(discovery::group)),
        (read("/api/v1"), get(discovery::core_resources)),
        (read("/apis/{group}/{version}"), get(discovery::resources)),
        (Operation::signed_in("ANY", "/openapi/v2"), any(nowhere)),
        (read("/openapi/v3"), get(openapi::index)),
        (read("/openapi/v3/{*path}"), get(openapi::document)),
        (ask("/apis/authentication.k8s.io/v1/selfsubjectreviews"), post(review::myself)),
        (ask("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"), post(review::access)),
        (ask("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"), post(review::rules)),
    ]
}

/// The resources' addresses are read by [`Call`], which asks the policy for each.
fn api() -> Router<Server> {
    routed(signed_in_table()).route("/api/v1/{*rest}", any(core)).route("/apis/{group}/{version}/{*rest}", any(grouped))
}

async fn ready(State(server): State<Server>) -> Response {
    match in_background(&server.db, store::memory).await {
        Ok(_) => "ok".into_response(),
        Err(error) => error.into_response(),
    }
}

async fn nowhere() -> ApiError {
    ApiError::NoSuchPath
}

async fn authenticate(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let presented = Presented(authorization.unwrap_or_default().to_owned());
    match server.authenticator.authenticate(authorization) {
        Ok(principal) => {
            request.extensions_mut().insert(presented);
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(error) if error.kind() == ErrorKind::Unauthenticated => {
            ApiError::Unauthenticated { why: error.to_string() }.into_response()
        }
        Err(error) => ApiError::Internal(error.to_string()).into_response(),
    }
}

async fn core(
    State(server): State<Server>,
    Path(rest): Path<String>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Response {
    answer(&server, "", "v1", &rest, principal, request).await
}

async fn grouped(
    State(server): State<Server>,
    Path((group, version, rest)): Path<(String, String, String)>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Response {
    answer(&server, &group, &version, &rest, principal, request).await
}

async fn answer(
    server: &Server,
    group: &str,
    version: &str,
    rest: &str,
    principal: Principal,
    request: Request,
) -> Response {
    let call = match Call::read(server, group, version, rest, principal, &request) {
        Ok(call) => call,
        Err(error) => return error.into_response(),
    };
    call.answer(request.into_body()).await.unwrap_or_else(IntoResponse::into_response)
}
