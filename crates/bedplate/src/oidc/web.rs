//! Asking the provider: short documents, in bounded time, from where they are said to be and nowhere else.

use std::time::Duration;

use axum::http::{Request, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bedplate_client::{Trust, connector};
use bedplate_types::{ErrorKind, Problem};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

const TIMEOUT: Duration = Duration::from_secs(10);
/// Hundreds of keys fit.
const LONGEST: usize = 256 * 1024;

/// A client that follows no redirects.
pub struct Web {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Status and body.
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
}

impl Web {
    pub fn new(ca: Option<String>) -> Result<Self, Problem> {
        let connector = connector(&Trust { ca, ..Trust::default() });
        let connector = connector.map_err(|why| Problem::new(ErrorKind::Invalid, "--oidc-ca", why))?;
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector) })
    }

    pub async fn get(&self, url: &str) -> Result<Answer, Problem> {
        let request = Request::get(url).header(header::ACCEPT, "application/json").body(Full::default());
        self.send(url, request).await
    }

    /// Posts a form, as the client of this id and secret.
    pub async fn post(
        &self,
        url: &str,
        form: &[(&str, &str)],
        client: Option<(&str, &str)>,
    ) -> Result<Answer, Problem> {
        let body: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let mut request = Request::post(url)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some((id, secret)) = client {
            // RFC 6749 section 2.3.1.
            let pair = STANDARD.encode(format!("{}:{}", escaped(id), escaped(secret)));
            request = request.header(header::AUTHORIZATION, format!("Basic {pair}"));
        }
        self.send(url, request.body(Full::new(Bytes::from(body.join("&"))))).await
    }

    async fn send(&self, url: &str, request: axum::http::Result<Request<Full<Bytes>>>) -> Result<Answer, Problem> {
        let failed = |why: String| {
            Problem::new(ErrorKind::NotReady, format!("the OpenID provider at {url}"), why)
                .with_fix("try again; then look at the provider")
        };
        let request = request.map_err(|error| failed(error.to_string()))?;
        let asked = async {
            let answer = self.client.request(request).await.map_err(|error| failed(causes(&error)))?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), LONGEST).collect().await;
            let body = body.map_err(|error| failed(format!("its answer cannot be taken: {error}")))?;
            Ok(Answer { status, body: body.to_bytes() })
        };
        tokio::time::timeout(TIMEOUT, asked).await.map_err(|_| failed("no answer within 10 s".into()))?
    }
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// `text` as one value of a form or a query.
pub fn escaped(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// Whether secrets may be sent there: over TLS, or within this machine when the issuer is on it too.
pub fn is_safe(url: &str, issuer: &str) -> bool {
    let here = |url: &str| {
        url.strip_prefix("http://").is_some_and(|rest| {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let name = if host.starts_with('[') { host.split_inclusive(']').next() } else { host.split(':').next() };
            matches!(name, Some("localhost" | "127.0.0.1" | "[::1]"))
        })
    };
    let plain = url
        .parse::<axum::http::Uri>()
        .is_ok_and(|uri| uri.authority().is_some_and(|host| !host.as_str().contains('@')));
    plain && (url.starts_with("https://") || (here(url) && here(issuer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A provider of one answer, and its address.
    async fn serving(answer: fn() -> axum::response::Response) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let routes = axum::Router::new().fallback(move || async move { answer() });
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }

    #[tokio::test]
    async fn redirects_are_not_followed_and_long_answers_are_not_taken() {
        use axum::response::{IntoResponse, Redirect};
        let web = Web::new(None).unwrap();
        let moved = web.get(&serving(|| Redirect::to("http://127.0.0.1:1/").into_response()).await).await.unwrap();
        assert_eq!(moved.status, 303);
        let long = serving(|| vec![b'x'; LONGEST + 1].into_response()).await;
        assert!(web.get(&long).await.err().unwrap().why.contains("cannot be taken"));
        let short = web.get(&serving(|| vec![b'x'; LONGEST].into_response()).await).await.unwrap();
        assert_eq!(short.body.len(), LONGEST);
        assert_eq!(web.get("http://127.0.0.1:1/").await.err().unwrap().kind, ErrorKind::NotReady);
    }

    #[test]
    fn secrets_go_over_tls_or_stay_on_the_machine() {
        let remote = "https://id.example";
        assert!(is_safe("https://id.example/token", remote) && !is_safe("http://id.example/token", remote));
        assert!(!is_safe("http://127.0.0.1:1/token", remote), "a provider elsewhere sends nobody to this machine");
        let local = "http://127.0.0.1:9000";
        assert!(is_safe("http://localhost:9000/t", local) && is_safe("http://[::1]:9/t", local));
        for url in [
            "http://127.0.0.1.evil.example/",
            "http://evil/?127.0.0.1",
            "ftp://127.0.0.1",
            "",
            "http://127.0.0.1@evil/",
        ] {
            assert!(!is_safe(url, local), "{url}");
        }
    }
}
