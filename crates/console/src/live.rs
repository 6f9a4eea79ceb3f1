//! A page that is asked for again and again: the answer is empty while nothing has changed.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::Markup;
use sha2::{Digest as _, Sha256};

/// The page, or 304 when `If-None-Match` names what it would say.
pub fn respond(page: Markup, asked: &HeaderMap) -> Response {
    let text = page.into_string();
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(text.as_bytes())[..16]));
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { axum::response::Html(text).into_response() };
    if let Ok(value) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::*;

    #[test]
    fn the_same_page_is_not_sent_twice() {
        let first = respond(html! { "a" }, &HeaderMap::new());
        let mut asked = HeaderMap::new();
        asked.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(respond(html! { "a" }, &asked).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(respond(html! { "b" }, &asked).status(), StatusCode::OK);
    }
}
