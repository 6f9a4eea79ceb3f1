//! The routes, and what they need.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use bedplate_identity::{Authenticator, IdentityError, Principal};
use bedplate_policy::{Action, Hidden, Operation};
use bedplate_types::{Clock, Problem};
use maud::Markup;
use serde::Deserialize;

use crate::facts::{CatalogueQuery, Facts};
use crate::session::{Secrets, Sessions};
use crate::sign_in::SignedIn;
use crate::{assets, catalogue, dataset, elsewhere, feature_view, headers, live, overview, page, sign_in, use_case};

const DATASET: &str = "/ns/{namespace}/datasets/{name}";
const FEATURE_VIEW: &str = "/ns/{namespace}/featureviews/{name}";

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

/// `/`, `/catalogue`, `/ns/{namespace}` and its datasets and feature views, `/login`, `/logout` and `/assets/…`; to be merged with the other routes of its listener.
pub fn router(state: ConsoleState) -> Router {
    let routes = table().into_iter();
    let router = routes.fold(Router::new(), |router, (operation, handler)| router.route(&operation.path, handler));
    router.layer(map_response(headers::guard)).with_state(state)
}

/// Every operation of [`router`], and who may.
#[must_use]
pub fn operations() -> Vec<Operation> {
    table().into_iter().map(|(operation, _)| operation).collect()
}

/// A page's own session stands for a token; without one it asks to sign in.
fn table() -> Vec<(Operation, MethodRouter<ConsoleState>)> {
    let page = |path, hidden| Operation::may("GET", path, Action::List, "Dataset", hidden);
    let mut table = vec![
        (page("/", Hidden::LeftOut), get(get_overview)),
        (page("/ns/{namespace}", Hidden::NotFound), get(get_use_case)),
        (Operation::may("GET", "/catalogue", Action::Get, "Dataset", Hidden::LeftOut), get(get_catalogue)),
        (Operation::may("GET", DATASET, Action::Get, "Dataset", Hidden::NotFound), get(get_dataset)),
        (Operation::may("GET", FEATURE_VIEW, Action::Get, "FeatureView", Hidden::NotFound), get(get_feature_view)),
        (Operation::open("GET", "/login"), get(sign_in::get_login)),
        (Operation::open("POST", "/login"), post(sign_in::post_login)),
        (Operation::open("GET", "/login/oidc"), get(elsewhere::get_login_oidc)),
        (Operation::open("GET", "/login/callback"), get(elsewhere::get_login_callback)),
        (Operation::open("POST", "/logout"), post(sign_in::post_logout)),
    ];
    table.extend(assets::table());
    table
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

#[derive(Default, Deserialize)]
#[serde(default)]
struct CatalogueForm {
    q: String,
    kind: String,
    namespace: String,
}

async fn get_catalogue(
    State(state): State<ConsoleState>,
    form: Result<Query<CatalogueForm>, QueryRejection>,
    asked: HeaderMap,
) -> Response {
    let Some(who) = sign_in::who(&state, &asked) else { return sign_in::ask(&state, StatusCode::UNAUTHORIZED, None) };
    // A question that cannot be read asks for nothing.
    let Query(CatalogueForm { q: text, kind, namespace }) = form.unwrap_or_default();
    let question = CatalogueQuery { text, kind, namespace };
    let facts = state.source.catalogue(&who.principal, &question).await;
    answer("Catalogue", &who, facts.map(|facts| catalogue::catalogue(&question, &facts)), &asked)
}

async fn get_dataset(
    State(state): State<ConsoleState>,
    Path((namespace, name)): Path<(String, String)>,
    asked: HeaderMap,
) -> Response {
    let Some(who) = sign_in::who(&state, &asked) else { return sign_in::ask(&state, StatusCode::UNAUTHORIZED, None) };
    let facts = state.source.dataset(&who.principal, &namespace, &name).await;
    answer(&name, &who, facts.map(|facts| dataset::dataset(&facts, state.clock.now())), &asked)
}

async fn get_feature_view(
    State(state): State<ConsoleState>,
    Path((namespace, name)): Path<(String, String)>,
    asked: HeaderMap,
) -> Response {
    let Some(who) = sign_in::who(&state, &asked) else { return sign_in::ask(&state, StatusCode::UNAUTHORIZED, None) };
    let facts = state.source.feature_view(&who.principal, &namespace, &name).await;
    answer(&name, &who, facts.map(|facts| feature_view::feature_view(&facts, state.clock.now())), &asked)
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
