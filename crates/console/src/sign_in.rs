//! `/login` and `/logout`: from a token or a one-time code to a cookie, and back.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use bedplate_identity::Principal;
use maud::html;

use crate::page;
use crate::router::ConsoleState;
use crate::session::Holder;

const COOKIE: &str = "bedplate_session";
/// A token is 46 characters; a form is not longer than this.
const LONGEST_FORM: usize = 4_096;

/// Who the cookie says is asking, if the session still holds.
pub fn who(state: &ConsoleState, headers: &HeaderMap) -> Option<Principal> {
    match state.sessions.find(cookie(headers)?, state.clock.now())? {
        Holder::Code(principal) => Some(principal),
        Holder::Token(authorization) => state.sign_in.sign_in(&authorization).ok(),
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let sent = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = sent.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// With `?code=`, takes the code and goes on to the overview; without, the form.
pub async fn get_login(State(state): State<ConsoleState>, RawQuery(query): RawQuery) -> Response {
    let Some(code) = query.as_deref().and_then(|query| field(query, "code")) else { return ask(StatusCode::OK, None) };
    let now = state.clock.now();
    match state.sessions.take_code(&code, now) {
        Some(principal) => arrived(&state.sessions.open(Holder::Code(principal), now, (state.random)())),
        None => ask(StatusCode::UNAUTHORIZED, Some("That link was used before or is older than ten minutes.")),
    }
}

pub async fn post_login(State(state): State<ConsoleState>, headers: HeaderMap, body: String) -> Response {
    if from_elsewhere(&headers) || body.len() > LONGEST_FORM {
        return ask(StatusCode::FORBIDDEN, Some("The form did not come from this console."));
    }
    let token = field(&body, "token").unwrap_or_default();
    let authorization = format!("Bearer {}", token.trim());
    match state.sign_in.sign_in(&authorization) {
        Ok(_) => {
            let id = state.sessions.open(Holder::Token(authorization), state.clock.now(), (state.random)());
            with_cookie(Redirect::to("/").into_response(), &set_cookie(&id))
        }
        Err(error) => ask(StatusCode::UNAUTHORIZED, Some(&error.to_string())),
    }
}

pub async fn post_logout(State(state): State<ConsoleState>, headers: HeaderMap) -> Response {
    if from_elsewhere(&headers) {
        return ask(StatusCode::FORBIDDEN, Some("The form did not come from this console."));
    }
    if let Some(id) = cookie(&headers) {
        state.sessions.close(id);
    }
    with_cookie(
        Redirect::to("/login").into_response(),
        &format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"),
    )
}

/// Another site may not sign anybody in or out (Fetch Metadata; `Origin` for browsers without it).
fn from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin"), text("host")) {
        (Some(site), _, _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin), Some(host)) => origin.split_once("://").is_none_or(|(_, from)| from != host),
        _ => false,
    }
}

fn field(encoded: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(encoded.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A page that goes on by itself. A redirect would not do: after a click in another site's page the browser withholds a
/// strict cookie through the whole chain of redirects, and the person would be asked to sign in again.
fn arrived(id: &str) -> Response {
    let head = html! { meta http-equiv="refresh" content="0; url=/"; };
    let main = html! { h1 { "Signed in" } p { a href="/" { "Go to the overview" } } };
    let page = Html(page::outside("Signed in", &main, &head).into_string());
    with_cookie(page.into_response(), &set_cookie(id))
}

fn set_cookie(id: &str) -> String {
    format!("{COOKIE}={id}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict")
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// The form, with what was wrong the last time.
pub fn ask(code: StatusCode, wrong: Option<&str>) -> Response {
    let main = html! {
        h1 { "Sign in" }
        @if let Some(wrong) = wrong { p.wrong role="alert" { (wrong) } }
        form method="post" action="/login" {
            label for="token" { "Token" }
            input #token name="token" type="password" autocomplete="current-password" required autofocus;
            button type="submit" { "Sign in" }
        }
        p.hint {
            "The platform prints a sign-in link when it starts (" code { "bedplate up" } "). "
            "The token stands in the " code { "kubeconfig" } " of its home folder."
        }
    };
    (code, Html(page::outside("Sign in", &main, &html! {}).into_string())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_form_from_elsewhere_is_known() {
        assert!(!from_elsewhere(&headers(&[("sec-fetch-site", "same-origin")])));
        assert!(from_elsewhere(&headers(&[("sec-fetch-site", "cross-site"), ("origin", "http://h"), ("host", "h")])));
        assert!(from_elsewhere(&headers(&[("origin", "http://evil"), ("host", "127.0.0.1:7070")])));
        assert!(!from_elsewhere(&headers(&[("origin", "http://127.0.0.1:7070"), ("host", "127.0.0.1:7070")])));
        assert!(!from_elsewhere(&headers(&[])), "curl sends neither");
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        assert_eq!(cookie(&headers(&[("cookie", "a=1; bedplate_session=xyz; b=2")])), Some("xyz"));
        assert_eq!(cookie(&headers(&[("cookie", "not_bedplate_session=1")])), None);
    }
}
