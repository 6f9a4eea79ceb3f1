//! A request arrives: the addresses, and who asks.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use bedplate_identity::Principal;
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

/// What anybody may ask.
fn open() -> Router<Server> {
    Router::new()
        .route("/version", get(discovery::version))
        .route("/healthz", get(|| async { "ok" }))
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready))
}

fn api() -> Router<Server> {
    Router::new()
        .route("/api", get(discovery::api))
        .route("/apis", get(discovery::apis))
        .route("/apis/{group}", get(discovery::group))
        .route("/api/v1", get(discovery::core_resources))
        .route("/apis/{group}/{version}", get(discovery::resources))
        .route("/openapi/v2", any(nowhere))
        .route("/openapi/v3", get(openapi::index))
        .route("/openapi/v3/{*path}", get(openapi::document))
        .route("/apis/authentication.k8s.io/v1/selfsubjectreviews", post(review::myself))
        .route("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", post(review::access))
        .route("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", post(review::rules))
        .route("/api/v1/{*rest}", any(core))
        .route("/apis/{group}/{version}/{*rest}", any(grouped))
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
