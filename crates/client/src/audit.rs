//! `audit`: the entries of the audit log, and whether they still prove themselves.

use kube::Client;
use serde_json::Value;

use crate::error::ClientError;
use crate::request::{JSON, get, query, send};

/// At most `limit` entries from leaf `from` on.
pub async fn audit_log(client: &Client, from: u64, limit: u64) -> Result<Value, ClientError> {
    let (from, limit) = (from.to_string(), limit.to_string());
    let asked = query(&[("from", Some(&from)), ("limit", Some(&limit))]);
    send(client, get(&format!("/bedplate/v1/audit/log{asked}"), JSON)?).await
}

/// Has the platform recompute the Merkle tree and check the signed checkpoint.
pub async fn audit_verify(client: &Client) -> Result<Value, ClientError> {
    send(client, get("/bedplate/v1/audit/verify", JSON)?).await
}
