//! `data`: what a dataset's ingests came to, what is in its quarantine, letting rows out of it, and its versions.

use kube::Client;
use serde::Serialize;
use serde_json::Value;

use crate::error::ClientError;
use crate::post::post;
use crate::request::{JSON, escaped, get, send};

/// What to do with rows of a quarantine.
#[derive(Clone, Debug, Serialize)]
pub struct QuarantineReview {
    /// release, discard
    pub action: &'static str,
    pub why: String,
    /// Numbers in their file.
    pub rows: Vec<i64>,
    /// An expectation that they did not meet.
    pub reason: Option<String>,
    /// Path of the file they were read from.
    pub file: Option<String>,
    /// The table's version that was looked at; any when left out.
    pub version: Option<i64>,
}

/// `{"ingests": [{"at", "version", "rowsRead", "rows", "quarantined", "outcomes"}]}`, the newest first.
pub async fn data_history(
    client: &Client,
    namespace: &str,
    dataset: &str,
    limit: Option<u32>,
) -> Result<Value, ClientError> {
    let limit = limit.map(|limit| format!("?limit={limit}")).unwrap_or_default();
    send(client, get(&path(namespace, dataset, &format!("history{limit}")), JSON)?).await
}

/// `{"version", "at", "rows", "versions", "piiSuggestions", "columns": [{"name", "type", "nulls", "distinct", "values"}]}`, of a
/// version or of the newest; without `values` where the caller may not read them.
pub async fn data_profile(
    client: &Client,
    namespace: &str,
    dataset: &str,
    version: Option<i64>,
    purpose: Option<&str>,
) -> Result<Value, ClientError> {
    let version = version.map(|version| format!("version={version}&")).unwrap_or_default();
    let purpose = purpose.map(|purpose| format!("purpose={}", escaped(purpose))).unwrap_or_default();
    send(client, get(&path(namespace, dataset, &format!("profile?{version}{purpose}")), JSON)?).await
}

/// `{"version", "quarantined", "reasons": [{"name", "rows"}], "rows": [{"row", "file", "reasons"}]}`
pub async fn data_quarantine(client: &Client, namespace: &str, dataset: &str) -> Result<Value, ClientError> {
    send(client, get(&path(namespace, dataset, "quarantine"), JSON)?).await
}

/// Releases or discards; `{"rows", "version", "quarantined", "tableRows"}`.
pub async fn data_review(
    client: &Client,
    namespace: &str,
    dataset: &str,
    review: &QuarantineReview,
) -> Result<Value, ClientError> {
    post(client, &path(namespace, dataset, "quarantine/review"), review).await
}

/// `{"versions": [{"version", "at", "operation", "by", "rows", "files", "added", "removed", "loaded", "readable"}]}`, the newest
/// first.
pub async fn data_versions(client: &Client, namespace: &str, dataset: &str) -> Result<Value, ClientError> {
    send(client, get(&path(namespace, dataset, "versions"), JSON)?).await
}

/// Joins small files; `{"version", "filesRemoved", "filesAdded", "dataFiles"}`.
pub async fn data_optimize(client: &Client, namespace: &str, dataset: &str) -> Result<Value, ClientError> {
    post(client, &path(namespace, dataset, "optimize"), &serde_json::json!({})).await
}

/// Brings an earlier version back; `{"version", "restored", "tableRows"}`.
pub async fn data_restore(client: &Client, namespace: &str, dataset: &str, version: i64) -> Result<Value, ClientError> {
    post(client, &path(namespace, dataset, "restore"), &serde_json::json!({ "version": version })).await
}

/// What is kept when the files of old versions are removed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataVacuum {
    /// Only say what would go.
    pub dry_run: bool,
    /// `7d`; what the dataset says when left out.
    pub retain: Option<String>,
    /// Also when that is shorter than what the dataset says.
    pub force: bool,
}

/// Removes the files of old versions; `{"files", "bytes", "versions", "pinned", "retain", "dryRun"}`.
pub async fn data_vacuum(
    client: &Client,
    namespace: &str,
    dataset: &str,
    vacuum: &DataVacuum,
) -> Result<Value, ClientError> {
    post(client, &path(namespace, dataset, "vacuum"), vacuum).await
}

fn path(namespace: &str, dataset: &str, rest: &str) -> String {
    format!("/bedplate/v1/namespaces/{}/datasets/{}/{rest}", escaped(namespace), escaped(dataset))
}
