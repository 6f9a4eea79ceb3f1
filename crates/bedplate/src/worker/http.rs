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

    /// Posts JSON and gives the body of a 2xx answer; anything else is an error with the answer's own words.
    pub async fn post(&self, url: &str, body: &serde_json::Value) -> Result<Bytes, Problem> {
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
        let bytes = answer.into_body().collect().await.map_err(|error| of(error.to_string()))?.to_bytes();
        if !status.is_success() {
            return Err(of(format!(
                "{status}: {}",
                String::from_utf8_lossy(&bytes).chars().take(500).collect::<String>()
            )));
        }
        Ok(bytes)
    }
}
