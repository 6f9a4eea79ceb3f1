//! `/login/oidc` and `/login/callback`: signing in at the provider, and coming back.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::router::ConsoleState;
use crate::session::{Holder, Secrets};
use crate::sign_in::{arrive, ask, cookie, field, set_cookie, with_cookie};

/// Ties the provider's answer to the browser that was sent there. Lax: it comes back from another site.
const STATE: &str = "bedplate_sign_in";
const STATE_SECONDS: u32 = 600;
const NOT_BEGUN: &str = "This sign-in was not begun in this browser, or longer than ten minutes ago: try again.";

pub async fn get_login_oidc(State(state): State<ConsoleState>, headers: HeaderMap) -> Response {
    let Some(provider) = state.provider.clone() else { return ask(&state, StatusCode::NOT_FOUND, None) };
    let Some(host) = host(&headers) else { return ask(&state, StatusCode::BAD_REQUEST, None) };
    let scheme = if state.secure { "https" } else { "http" };
    let fresh = || URL_SAFE_NO_PAD.encode((state.random)());
    let secrets = Secrets {
        state: fresh(),
        nonce: fresh(),
        verifier: fresh(),
        redirect_uri: format!("{scheme}://{host}/login/callback"),
    };
    match provider.address(&secrets).await {
        Ok(address) => {
            state.sessions.begin_elsewhere(&secrets, state.clock.now());
            let kept = set_cookie(&state, STATE, &secrets.state, STATE_SECONDS, "Lax");
            with_cookie(Redirect::to(&address).into_response(), &kept)
        }
        Err(problem) => ask(&state, StatusCode::BAD_GATEWAY, Some(&problem.to_string())),
    }
}

pub async fn get_login_callback(
    State(state): State<ConsoleState>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let told = field(&query, "state").filter(|told| cookie(&headers, STATE) == Some(told));
    let secrets = told.and_then(|told| state.sessions.take_elsewhere(&told, state.clock.now()));
    let (Some(secrets), Some(provider)) = (secrets, state.provider.clone()) else {
        return ask(&state, StatusCode::UNAUTHORIZED, Some(NOT_BEGUN));
    };
    let Some(code) = field(&query, "code") else {
        let why = field(&query, "error_description").or_else(|| field(&query, "error")).unwrap_or_default();
        return ask(&state, StatusCode::UNAUTHORIZED, Some(&format!("The provider refused: {why}")));
    };
    let over = set_cookie(&state, STATE, "", 0, "Lax");
    match provider.authorization(&secrets, &code).await {
        Ok(authorization) => with_cookie(arrive(&state, &headers, Holder::Token(authorization)), &over),
        Err(problem) => with_cookie(ask(&state, StatusCode::UNAUTHORIZED, Some(&problem.to_string())), &over),
    }
}

/// What the browser calls this console; the provider knows whether that is one it may send people to.
fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".:-[]".contains(&byte);
    (!host.is_empty() && host.bytes().all(fits)).then_some(host)
}
