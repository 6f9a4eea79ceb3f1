//! `login`: the platform's part of signing in at an OpenID provider. The client needs no token.

use kube::Client;
use serde_json::Value;

use crate::error::ClientError;
use crate::request::{JSON, get, request, send};

const LOGIN: &str = "/bedplate/v1/login";

/// Where the provider is and what the platform is called there.
pub async fn login_provider(client: &Client) -> Result<Value, ClientError> {
    send(client, get(LOGIN, JSON)?).await
}

/// Begins the device flow: the provider's own answer (RFC 8628 section 3.2).
pub async fn login_device(client: &Client) -> Result<Value, ClientError> {
    send(client, request("POST", &format!("{LOGIN}/device"), JSON, Vec::new())?).await
}

/// A token for what somebody brings from the provider, or `{"pending": true}`.
pub async fn login(client: &Client, brought: &Value) -> Result<Value, ClientError> {
    send(client, request("POST", LOGIN, JSON, brought.to_string().into_bytes())?).await
}
