//! A small HTTP client over one kept connection a host.

use std::time::Duration;

use bedplate_client::{Trust, connector};
use bedplate_controllers::KnownBy;
use bedplate_types::{ErrorKind, Problem};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

const TIMEOUT: Duration = Duration::from_secs(30);

/// How long it waits altogether when it is told to.
const PATIENCE: Duration = Duration::from_secs(120);

/// What came of a request.
enum Sent {
    Done(Bytes),
    Later(Duration),
}

pub struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    authorization: String,
    namespace: String,
    purpose: Option<String>,
}

impl Http {
    pub fn new(listeners: &KnownBy, token: &str, namespace: &str, purpose: Option<String>) -> Result<Self, Problem> {
        let trust = Trust { ca: listeners.ca.clone(), server_name: listeners.server_name.clone(), identity: None };
        let connector =
            connector(&trust).map_err(|why| Problem::new(ErrorKind::Invalid, "the job's listeners", why))?;
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, authorization: format!("Bearer {token}"), namespace: namespace.to_owned(), purpose })
    }

    /// Posts JSON and gives the body of a 2xx answer; anything else is an error with the answer's own words. Who is told to
    /// wait (429), waits: nothing was done yet.
    pub async fn post(&self, url: &str, body: &serde_json::Value) -> Result<Bytes, Problem> {
        let mut patience = PATIENCE;
        loop {
            let wait = match self.once(url, body).await? {
                Sent::Done(bytes) => return Ok(bytes),
                Sent::Later(wait) => wait,
            };
            patience = patience.checked_sub(wait).ok_or_else(|| {
                Problem::new(ErrorKind::Busy, format!("POST {url}"), "it was told to wait for longer than two minutes")
            })?;
            tokio::time::sleep(wait).await;
        }
    }

    async fn once(&self, url: &str, body: &serde_json::Value) -> Result<Sent, Problem> {
        let of = |why: String| Problem::new(ErrorKind::Internal, format!("POST {url}"), why);
        let request = http::Request::post(url)
            .header(http::header::AUTHORIZATION, &self.authorization)
            .header(http::header::CONTENT_TYPE, "application/json")
            .header("x-bedplate-namespace", &self.namespace)
            .header("x-bedplate-purpose", self.purpose.as_deref().unwrap_or_default())
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|error| of(error.to_string()))?;
        let answer = tokio::time::timeout(TIMEOUT, self.client.request(request)).await;
        let answer = answer.map_err(|_| of("no answer within 30 s".into()))?.map_err(|error| of(error.to_string()))?;
        let status = answer.status();
        if status == http::StatusCode::TOO_MANY_REQUESTS {
            return Ok(Sent::Later(retry_after(answer.headers())));
        }
        let bytes = answer.into_body().collect().await.map_err(|error| of(error.to_string()))?.to_bytes();
        if !status.is_success() {
            return Err(of(format!(
                "{status}: {}",
                String::from_utf8_lossy(&bytes).chars().take(500).collect::<String>()
            )));
        }
        Ok(Sent::Done(bytes))
    }
}

/// In whole seconds (RFC 9110 section 10.2.3), one at least.
fn retry_after(headers: &http::HeaderMap) -> Duration {
    let seconds = headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1).max(1))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use axum::http::StatusCode;
    use axum::response::IntoResponse;

    use super::*;

    #[tokio::test]
    async fn who_is_told_to_wait_waits_and_asks_again() {
        let asked = Arc::new(AtomicU32::new(0));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let counted = asked.clone();
        let routes = axum::Router::new().fallback(move || {
            let first = counted.fetch_add(1, Ordering::Relaxed) == 0;
            let later = (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")], "later");
            async move { if first { later.into_response() } else { "done".into_response() } }
        });
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let http = Http::new(&KnownBy::default(), "t", "n", None).unwrap();
        assert_eq!(http.post(&url, &serde_json::Value::Null).await.unwrap(), "done");
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        let nowhere = http.post("http://127.0.0.1:1/", &serde_json::Value::Null).await;
        assert_eq!(nowhere.unwrap_err().kind, ErrorKind::Internal);
    }
}
