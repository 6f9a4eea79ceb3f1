//! `POST`: asks one of the platform's own addresses for a decision or a deed.

use kube::Client;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ClientError;
use crate::request::{JSON, request, send};

/// Posts `body` as JSON and reads the answer. `path` must be escaped: see [`crate::segment`].
pub async fn post<T: DeserializeOwned>(client: &Client, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
    let unsendable =
        |error: serde_json::Error| ClientError::Answer { what: format!("POST {path}"), why: error.to_string() };
    let body = serde_json::to_vec(body).map_err(unsendable)?;
    send(client, request("POST", path, JSON, body)?).await
}
