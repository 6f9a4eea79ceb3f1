//! `token`: who may speak to the platform.

use kube::Client;
use serde_json::Value;

use crate::error::ClientError;
use crate::request::{JSON, escaped, get, request, send};

const TOKENS: &str = "/bedplate/v1/tokens";

/// Makes a token; the answer shows it for the only time. `asked` is bedplate-identity's `TokenRequest`.
pub async fn token_create(client: &Client, asked: &Value) -> Result<Value, ClientError> {
    send(client, request("POST", TOKENS, JSON, asked.to_string().into_bytes())?).await
}

/// The tokens the caller may see, without the tokens themselves.
pub async fn token_list(client: &Client) -> Result<Value, ClientError> {
    send(client, get(TOKENS, JSON)?).await
}

/// Ends a token, at once.
pub async fn token_revoke(client: &Client, id: &str) -> Result<Value, ClientError> {
    send(client, request("DELETE", &format!("{TOKENS}/{}", escaped(id)), JSON, Vec::new())?).await
}

const CERTIFICATES: &str = "/bedplate/v1/certificates";

/// A certificate for a machine. `asked` names it and carries a certificate request (PKCS #10).
pub async fn certificate_issue(client: &Client, asked: &Value) -> Result<Value, ClientError> {
    send(client, request("POST", CERTIFICATES, JSON, asked.to_string().into_bytes())?).await
}

/// The certificates the caller may see.
pub async fn certificate_list(client: &Client) -> Result<Value, ClientError> {
    send(client, get(CERTIFICATES, JSON)?).await
}

/// Ends a certificate, at once.
pub async fn certificate_revoke(client: &Client, fingerprint: &str) -> Result<Value, ClientError> {
    send(client, request("DELETE", &format!("{CERTIFICATES}/{}", escaped(fingerprint)), JSON, Vec::new())?).await
}
