//! What a controller and the worker process it starts say to each other: a job file one way, a result file back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bedplate_kinds::{GradientBoosting, Window};
use bedplate_types::Timestamp;
use serde::{Deserialize, Serialize};

/// Feature columns of a training set are named so; the label frame's own columns keep their names.
pub const FEATURE_PREFIX: &str = "feature.";

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainJob {
    /// The training set's Parquet file.
    pub training_set: PathBuf,
    /// In the model's order, without the prefix.
    pub features: Vec<String>,
    pub label: String,
    pub timestamp: String,
    pub train: Window,
    pub test: Window,
    pub algorithm: GradientBoosting,
    /// Where the model goes.
    pub model: PathBuf,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainResult {
    /// auc, logLoss, brier of the test window.
    pub metrics: BTreeMap<String, f64>,
    /// What each feature reaches alone on the test window.
    pub single_feature_auc: Vec<(String, f64)>,
    pub train_rows: u64,
    pub test_rows: u64,
    pub trees: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayJob {
    /// `http://host:port` or `https://host:port` of the inference listener.
    pub inference_url: String,
    /// The same of the control listener, which takes pushes.
    pub control_url: String,
    /// How the listeners are known over https.
    #[serde(default)]
    pub listeners: KnownBy,
    /// A file with the token to call with, readable by its owner only.
    pub token_file: PathBuf,
    pub namespace: String,
    pub endpoint: String,
    pub training_set: PathBuf,
    pub features: Vec<String>,
    /// The model the endpoint serves, for the offline answers.
    pub model: PathBuf,
    pub request_columns: Vec<String>,
    pub timestamp: String,
    pub from: Timestamp,
    pub limit: u64,
    pub pushes: Vec<PushFrame>,
}

/// What the certificates of the platform's own listeners are verified with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownBy {
    /// PEM of their authority; `None`: one of those this machine knows.
    pub ca: Option<String>,
    /// The name they are for, if not that of the address.
    pub server_name: Option<String>,
}

/// Rows that become known while the replay runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PushFrame {
    pub source: String,
    pub rows: PathBuf,
    /// The column that says when a row became known.
    pub timestamp: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayResult {
    pub requests: u64,
    pub predictions: u64,
    pub pushed_rows: u64,
    /// The share of predictions equal to the offline ones within 1e-6.
    pub parity_share: f64,
    pub largest_difference: f64,
    /// Latency of a request as the client saw it.
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub last_prediction: Option<String>,
}
