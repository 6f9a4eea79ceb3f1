//! `costs`: what was spent, told apart as asked; the ledger counted again; a usage reversed.

use kube::Client;
use serde_json::{Value, json};

use crate::error::ClientError;
use crate::request::{JSON, get, query, request, send};

/// Which costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CostsQuery {
    /// Of all namespaces when left out, which administrators alone may ask for.
    pub namespace: Option<String>,
    /// namespace, team, subject, resource, day, month; by resource when empty.
    pub by: Vec<String>,
    /// A day, `2026-11-24`.
    pub from: Option<String>,
    /// The first day that is left out.
    pub to: Option<String>,
}

/// `{"lines": [{<dimension>…, "amount", "events", "cost", "rounded", "currency"}], "totals", "unpriced"}`
pub async fn costs(client: &Client, asked: &CostsQuery) -> Result<Value, ClientError> {
    let by = (!asked.by.is_empty()).then(|| asked.by.join(","));
    let query = query(&[
        ("namespace", asked.namespace.as_deref()),
        ("by", by.as_deref()),
        ("from", asked.from.as_deref()),
        ("to", asked.to.as_deref()),
    ]);
    send(client, get(&format!("/bedplate/v1/costs{query}"), JSON)?).await
}

/// Has the platform count every entry and balance again.
pub async fn costs_verify(client: &Client) -> Result<Value, ClientError> {
    send(client, get("/bedplate/v1/costs/verify", JSON)?).await
}

/// Posts the opposite of what was posted for a usage event.
pub async fn costs_reverse(client: &Client, event: &str, reason: &str) -> Result<Value, ClientError> {
    let body = json!({ "event": event, "reason": reason }).to_string().into_bytes();
    send(client, request("POST", "/bedplate/v1/costs/reversals", JSON, body)?).await
}
