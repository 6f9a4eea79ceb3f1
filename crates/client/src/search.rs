//! `search`: what is declared, found by words.

use kube::Client;
use serde_json::Value;

use crate::error::ClientError;
use crate::request::{JSON, escaped, get, send};

/// What is asked for; what is none is not asked about.
#[derive(Clone, Debug, Default)]
pub struct SearchQuery {
    pub text: String,
    /// All, when none is named.
    pub namespace: Option<String>,
    pub kind: Option<String>,
    pub owner: Option<String>,
    pub classification: Option<String>,
    /// `pii:email`
    pub tag: Option<String>,
    pub limit: usize,
}

/// `{"total", "kinds", "results": [{"kind", "namespace", "name", "owner", "description", "tags", "terms", "usedBy"}]}`
pub async fn search(client: &Client, query: &SearchQuery) -> Result<Value, ClientError> {
    let mut path = format!("/bedplate/v1/search?limit={}&q={}", query.limit, escaped(&query.text));
    for (name, value) in [
        ("namespace", &query.namespace),
        ("kind", &query.kind),
        ("owner", &query.owner),
        ("classification", &query.classification),
        ("tag", &query.tag),
    ] {
        if let Some(value) = value {
            path += &format!("&{name}={}", escaped(value));
        }
    }
    send(client, get(&path, JSON)?).await
}
