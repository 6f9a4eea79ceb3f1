//! Before the protocol is even looked at: what carries no signature is refused, and a signature that was wrong is told to
//! whoever counts them.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri, header};
use http_body_util::BodyExt;
use s3s::service::S3Service;
use s3s::{S3Error, s3_error};
use tower::Service;

use crate::error::internal;

const SCHEME: &str = "AWS4-HMAC-SHA256";
const ALGORITHM: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256";
/// The refusals that mean that somebody may be guessing.
const GUESSES: [&str; 2] = ["<Code>SignatureDoesNotMatch</Code>", "<Code>InvalidAccessKeyId</Code>"];

/// Among the extensions of an answer: the signature was wrong, or that of nobody.
#[derive(Clone, Copy, Debug)]
pub struct Guessed;

#[derive(Clone)]
pub(crate) struct Gated(S3Service);

impl Gated {
    pub fn new(service: S3Service) -> Self {
        Self(service)
    }
}

impl Service<Request> for Gated {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let mut service = self.0.clone();
        Box::pin(async move {
            if let Err(refusal) = signed(request.headers(), request.uri()) {
                return Ok(answer(refusal));
            }
            let answered = Service::call(&mut service, request).await;
            Ok(match answered {
                Ok(answered) => judged(answered.map(Body::new)).await,
                Err(error) => answer(internal(&Failed(error.into()))),
            })
        })
    }
}

#[derive(Debug)]
struct Failed(s3s::StdError);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failed {}

fn signed(headers: &HeaderMap, uri: &Uri) -> Result<(), S3Error> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let content = text(header::CONTENT_TYPE).unwrap_or_default();
    if content.trim_start().get(..19).is_some_and(|start| start.eq_ignore_ascii_case("multipart/form-data")) {
        return Err(s3_error!(NotImplemented, "forms of browsers are not taken: use a URL that was signed beforehand"));
    }
    let in_query = uri.query().unwrap_or_default().split('&');
    let (has_algorithm, is_old) = in_query.fold((false, false), |(has, old), pair| {
        (has || pair == ALGORITHM, old || pair.starts_with("AWSAccessKeyId="))
    });
    match text(header::AUTHORIZATION) {
        Some(shown) if shown.starts_with(SCHEME) => Ok(()),
        None if has_algorithm => Ok(()),
        None if !is_old => Err(s3_error!(AccessDenied, "nothing is answered without a signature")),
        _ => Err(s3_error!(InvalidRequest, "Please use AWS4-HMAC-SHA256: signature_version s3v4")),
    }
}

/// The id of the key that a request says it is signed with.
#[must_use]
pub fn access_key(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let in_header = shown.filter(|shown| shown.starts_with(SCHEME)).and_then(|shown| after(shown, "Credential="));
    let in_query = || uri.query().and_then(|query| after(query, "X-Amz-Credential="));
    let id = in_header.or_else(in_query)?.split(['/', '%', '&', ',']).next()?;
    Some(id.chars().take(64).collect())
}

fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.split_once(word).map(|(_, rest)| rest)
}

fn answer(error: S3Error) -> Response {
    match error.to_http_response() {
        Ok(response) => response.map(Body::new),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Says so among the extensions when it is the answer to a guess.
async fn judged(answered: Response) -> Response {
    if answered.status() != StatusCode::FORBIDDEN {
        return answered;
    }
    let (mut parts, body) = answered.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let told = String::from_utf8_lossy(&bytes);
    if GUESSES.iter().any(|code| told.contains(code)) {
        parts.extensions.insert(Guessed);
    }
    Response::from_parts(parts, Body::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_signed_as_it_should_be_is_refused_at_once() {
        let check = |headers: &[(&'static str, &str)], uri: &str, expect: Option<&str>| {
            let mut map = HeaderMap::new();
            headers.iter().for_each(|(name, value)| drop(map.insert(*name, value.parse().unwrap())));
            let refused = signed(&map, &uri.parse().unwrap()).err();
            assert_eq!(refused.as_ref().map(|error| error.code().as_str()), expect, "{headers:?} {uri}");
        };
        check(&[("authorization", "AWS4-HMAC-SHA256 Credential=x")], "/", None);
        check(&[], "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=x", None);
        check(&[], "/b/k", Some("AccessDenied"));
        check(&[("authorization", "AWS id:signature")], "/", Some("InvalidRequest"));
        check(&[("authorization", "Bearer bp_x")], "/", Some("InvalidRequest"));
        check(&[], "/b/k?AWSAccessKeyId=x&Signature=y&Expires=1", Some("InvalidRequest"));
        let id = |value: &str, uri: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            access_key(&headers, &uri.parse().unwrap())
        };
        assert_eq!(id("AWS4-HMAC-SHA256 Credential=abc/20261127/us-east-1/s3/aws4_request, x", "/").unwrap(), "abc");
        assert_eq!(id("x", "/k?a=b&X-Amz-Credential=abc%2F20261127&c=d").unwrap(), "abc");
        assert_eq!(id("Bearer Credential=abc/", "/k?a=b"), None);
        check(&[("content-type", "multipart/form-data; boundary=x")], "/b", Some("NotImplemented"));
    }
}
