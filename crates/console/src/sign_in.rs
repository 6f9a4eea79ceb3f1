//! `/login` and `/logout`: from a token or a one-time code to a cookie, and back.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use bedplate_identity::Principal;
use maud::html;

use crate::page;
use crate::router::ConsoleState;
use crate::session::{Holder, form_key};

const SESSION: &str = "bedplate_session";
/// Of somebody who is about to sign in: what their form is known by.
const VISIT: &str = "bedplate_visit";
const SESSION_SECONDS: u32 = 43_200;
const VISIT_SECONDS: u32 = 3_600;
/// A token is 46 characters; a form is not longer than this.
const LONGEST_FORM: usize = 4_096;
const NOT_OURS: &str = "The form did not come from this console, or its page is older than an hour: try again.";

/// Somebody who is signed in, and what their forms carry.
pub struct SignedIn {
    pub principal: Principal,
    pub form_key: String,
}

/// Who the cookie says is asking, if the session still holds.
pub fn who(state: &ConsoleState, headers: &HeaderMap) -> Option<SignedIn> {
    let id = cookie(headers, SESSION)?;
    let principal = match state.sessions.find(id, state.clock.now())? {
        Holder::Code(principal) => Some(principal),
        Holder::Token(authorization) => state.sign_in.sign_in(&authorization).ok(),
    }?;
    Some(SignedIn { principal, form_key: form_key(id) })
}

pub fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let sent = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = sent.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// With `?code=`, takes the code and goes on to the overview; without, the form.
pub async fn get_login(State(state): State<ConsoleState>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let Some(code) = query.as_deref().and_then(|query| field(query, "code")) else {
        return ask(&state, StatusCode::OK, None);
    };
    match state.sessions.take_code(&code, state.clock.now()) {
        Some(principal) => arrive(&state, &headers, Holder::Code(principal)),
        None => ask(&state, StatusCode::UNAUTHORIZED, Some("That link was used before or is older than ten minutes.")),
    }
}

pub async fn post_login(State(state): State<ConsoleState>, headers: HeaderMap, body: String) -> Response {
    if !is_ours(&headers, &body, VISIT) {
        return ask(&state, StatusCode::FORBIDDEN, Some(NOT_OURS));
    }
    let token = field(&body, "token").unwrap_or_default();
    let authorization = format!("Bearer {}", token.trim());
    match state.sign_in.sign_in(&authorization) {
        Ok(_) => {
            let id = open(&state, &headers, Holder::Token(authorization));
            with_cookie(Redirect::to("/").into_response(), &session_cookie(&state, &id))
        }
        Err(error) => ask(&state, StatusCode::UNAUTHORIZED, Some(&error.to_string())),
    }
}

pub async fn post_logout(State(state): State<ConsoleState>, headers: HeaderMap, body: String) -> Response {
    if !is_ours(&headers, &body, SESSION) {
        return ask(&state, StatusCode::FORBIDDEN, Some(NOT_OURS));
    }
    if let Some(id) = cookie(&headers, SESSION) {
        state.sessions.close(id);
    }
    with_cookie(Redirect::to("/login").into_response(), &set_cookie(&state, SESSION, "", 0, "Strict"))
}

/// Whether a page of this console made the form for whoever holds the cookie.
fn is_ours(headers: &HeaderMap, body: &str, name: &str) -> bool {
    let key = cookie(headers, name).map(form_key);
    // Keys are hashes of what the sender does not know: how far one is right cannot be told from how long it takes.
    let is_known = key.is_some_and(|key| field(body, "key").is_some_and(|sent| form_key(&sent) == form_key(&key)));
    is_known && !from_elsewhere(headers) && body.len() <= LONGEST_FORM
}

/// A session that nobody had before; the one the browser came with is over.
fn open(state: &ConsoleState, headers: &HeaderMap, holder: Holder) -> String {
    if let Some(old) = cookie(headers, SESSION) {
        state.sessions.close(old);
    }
    state.sessions.open(holder, state.clock.now(), (state.random)())
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

pub fn field(encoded: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(encoded.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A page that goes on by itself. A redirect would not do: after a click in another site's page the browser withholds a
/// strict cookie through the whole chain of redirects, and the person would be asked to sign in again.
pub fn arrive(state: &ConsoleState, headers: &HeaderMap, holder: Holder) -> Response {
    let id = open(state, headers, holder);
    let head = html! { meta http-equiv="refresh" content="0; url=/"; };
    let main = html! { h1 { "Signed in" } p { a href="/" { "Go to the overview" } } };
    let page = Html(page::outside("Signed in", &main, &head).into_string());
    with_cookie(page.into_response(), &session_cookie(state, &id))
}

fn session_cookie(state: &ConsoleState, id: &str) -> String {
    set_cookie(state, SESSION, id, SESSION_SECONDS, "Strict")
}

pub fn set_cookie(state: &ConsoleState, name: &str, value: &str, seconds: u32, same_site: &str) -> String {
    let secure = if state.secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}")
}

pub fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// The form, with what was wrong the last time.
pub fn ask(state: &ConsoleState, code: StatusCode, wrong: Option<&str>) -> Response {
    let visit = hex::encode((state.random)());
    let main = html! {
        h1 { "Sign in" }
        @if let Some(wrong) = wrong { p.wrong role="alert" { (wrong) } }
        @if state.provider.is_some() {
            p { a.button href="/login/oidc" { "Sign in with your organisation" } }
        }
        form method="post" action="/login" {
            input type="hidden" name="key" value=(form_key(&visit));
            label for="token" { "Token" }
            input #token name="token" type="password" autocomplete="current-password" required autofocus;
            button type="submit" { "Sign in" }
        }
        p.hint {
            "The platform prints a sign-in link when it starts (" code { "bedplate up" } "). "
            "The token stands in the " code { "kubeconfig" } " of its home folder."
        }
    };
    let page = (code, Html(page::outside("Sign in", &main, &html! {}).into_string())).into_response();
    with_cookie(page, &set_cookie(state, VISIT, &visit, VISIT_SECONDS, "Strict"))
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
        assert_eq!(cookie(&headers(&[("cookie", "a=1; bedplate_session=xyz; b=2")]), SESSION), Some("xyz"));
        assert_eq!(cookie(&headers(&[("cookie", "not_bedplate_session=1")]), SESSION), None);
    }
}
