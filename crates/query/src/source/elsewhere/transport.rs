//! HTTP as stores are asked over it: nobody is led elsewhere, and nothing of the environment counts.

use std::time::Duration;

use object_store::client::{HttpClient, HttpConnector};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use reqwest_of_stores::redirect::Policy;
use reqwest_of_stores::{Certificate, Client};

const CONNECT: Duration = Duration::from_secs(10);
/// How long a server may say nothing.
const SILENCE: Duration = Duration::from_secs(30);

/// Makes the one client it was made with.
#[derive(Debug)]
pub(super) struct Transport(Client);

impl Transport {
    /// `authority`: certificates in PEM that are trusted besides the machine's own.
    ///
    /// # Errors
    /// What is wrong with the certificates.
    pub fn new(authority: Option<&str>, bearer: Option<&str>) -> Result<Self, String> {
        // A redirect could lead to a host that nobody allowed.
        let mut builder =
            Client::builder().redirect(Policy::none()).no_proxy().connect_timeout(CONNECT).read_timeout(SILENCE);
        if let Some(pem) = authority {
            let certificates = Certificate::from_pem_bundle(pem.as_bytes()).map_err(|error| error.to_string())?;
            if certificates.is_empty() {
                return Err("there is no certificate in it".into());
            }
            builder = certificates.into_iter().fold(builder, reqwest_of_stores::ClientBuilder::add_root_certificate);
        }
        if let Some(token) = bearer {
            let mut value: http::HeaderValue =
                format!("Bearer {token}").parse().map_err(|_| "the token cannot stand in a header".to_owned())?;
            value.set_sensitive(true);
            builder = builder.default_headers([(http::header::AUTHORIZATION, value)].into_iter().collect());
        }
        builder.user_agent("bedplate").build().map(Self).map_err(|error| error.to_string())
    }
}

impl HttpConnector for Transport {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

/// A server that is busy or gone for a moment is asked again, ever more slowly; half a minute in all.
pub(super) fn patience() -> RetryConfig {
    let (init_backoff, max_backoff) = (Duration::from_millis(200), Duration::from_secs(5));
    let backoff = BackoffConfig { init_backoff, max_backoff, base: 2.0 };
    RetryConfig { backoff, max_retries: 5, retry_timeout: Duration::from_secs(30) }
}
