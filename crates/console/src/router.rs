//! The routes, and what they need.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use bedplate_identity::{Authenticator, IdentityError, Principal};
use bedplate_types::{Clock, Problem};
use maud::Markup;

use crate::facts::Facts;
use crate::session::{Secrets, Sessions};
use crate::sign_in::SignedIn;
use crate::{assets, elsewhere, headers, live, overview, page, sign_in, use_case};

/// Turns the value of an `Authorization` header into a principal.
pub trait SignIn: Send + Sync {
    fn sign_in(&self, authorization: &str) -> Result<Principal, IdentityError>;
}

impl SignIn for Authenticator {
    fn sign_in(&self, authorization: &str) -> Result<Principal, IdentityError> {
        self.authenticate(Some(authorization))
    }
}

/// An OpenID provider, which the platform speaks to.
#[async_trait::async_trait]
pub trait Provider: Send + Sync {
    /// Where to send somebody to sign in.
    async fn address(&self, secrets: &Secrets) -> Result<String, Problem>;

    /// Takes the code they came back with and gives an `Authorization` header of the platform's own.
    async fn authorization(&self, secrets: &Secrets, code: &str) -> Result<String, Problem>;
}

/// What the console is given.
#[derive(Clone)]
pub struct ConsoleState {
    pub source: Arc<dyn Facts>,
    pub sign_in: Arc<dyn SignIn>,
    pub sessions: Arc<Sessions>,
    pub clock: Arc<dyn Clock>,
    /// 256 fresh random bits at each call: session ids.
    pub random: Arc<dyn Fn() -> [u8; 32] + Send + Sync>,
    /// The provider people sign in at, if there is one.
    pub provider: Option<Arc<dyn Provider>>,
    /// Whether it is served over TLS: then cookies go nowhere else.
    pub secure: bool,
}

/// `/`, `/ns/{namespace}`, `/login`, `/logout` and `/assets/…`; to be merged with the other routes of its listener.
pub fn router(state: ConsoleState) -> Router {
    Router::new()
        .route("/", get(get_overview))
        .route("/ns/{namespace}", get(get_use_case))
        .route("/login", get(sign_in::get_login).post(sign_in::post_login))
        .route("/login/oidc", get(elsewhere::get_login_oidc))
        .route("/login/callback", get(elsewhere::get_login_callback))
        .route("/logout", post(sign_in::post_logout))
        .merge(assets::router())
        .layer(map_response(headers::guard))
        .with_state(state)
}

async fn get_overview(State(state): State<ConsoleState>, asked: HeaderMap) -> Response {
    let Some(who) = sign_in::who(&state, &asked) else { return sign_in::ask(&state, StatusCode::UNAUTHORIZED, None) };
    let facts = state.source.overview(&who.principal).await;
    answer("Overview", &who, facts.map(|facts| overview::overview(&facts, state.clock.now())), &asked)
}

async fn get_use_case(State(state): State<ConsoleState>, Path(namespace): Path<String>, asked: HeaderMap) -> Response {
    let Some(who) = sign_in::who(&state, &asked) else { return sign_in::ask(&state, StatusCode::UNAUTHORIZED, None) };
    let facts = state.source.use_case(&who.principal, &namespace).await;
    answer(&namespace, &who, facts.map(|facts| use_case::use_case(&facts, state.clock.now())), &asked)
}

fn answer(title: &str, who: &SignedIn, main: Result<Markup, Problem>, asked: &HeaderMap) -> Response {
    match main {
        Ok(main) => live::respond(page::page(title, who, &main), asked),
        Err(problem) => {
            let code = StatusCode::from_u16(problem.kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (code, Html(page::page(title, who, &page::problem(&problem)).into_string())).into_response()
        }
    }
}
