//! Workload: something that runs as a process of its own, within limits.

use std::collections::BTreeMap;

use bedplate_types::{Span, Timestamp};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::validate::{FieldError, Validate};
use crate::{Condition, Phase};

/// Something that runs as a process of its own, within limits.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "Workload",
    namespaced,
    status = "WorkloadStatus",
    selectable = ".status.phase",
    shortname = "wl",
    printcolumn = r#"{"name":"Phase","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Exit","type":"integer","jsonPath":".status.exitCode"}"#,
    printcolumn = r#"{"name":"CPU-s","type":"number","jsonPath":".status.usage.cpuSeconds"}"#,
    printcolumn = r#"{"name":"Peak RSS","type":"integer","jsonPath":".status.usage.peakRssBytes","priority":1}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadSpec {
    pub task: Task,
    /// Limits of the process.
    #[serde(default)]
    pub resources: Resources,
}

/// Exactly one task; exactly one field is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<Train>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Replay>,
}

/// Fit the recipe's algorithm on a pinned training set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Train {
    /// The TrainingRecipe whose model is fitted.
    pub recipe: String,
    /// Digest of the snapshot.
    pub training_set: String,
}

/// Send past labelled rows to an endpoint as live requests, in time order, pushing every outcome when it became known;
/// then compare each answer with the offline prediction of the same row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// The Endpoint that is asked.
    pub endpoint: String,
    /// The recipe whose label frame is replayed.
    pub recipe: String,
    /// Rows from this moment on.
    pub from: Timestamp,
    /// At most so many rows.
    pub limit: u64,
}

/// Limits of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Resources {
    /// Address space in MiB; none when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u64>,
    /// CPU time in seconds; none when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<u64>,
    /// Wall time; one hour when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// Thousandths of a core it is reckoned with in plans and quotas; one core when left out. It bounds nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milli_cpu: Option<u64>,
    /// Accelerators by type that it is to be placed with, for example h100: 1.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub accelerators: BTreeMap<String, u32>,
    /// Labels of the sites it may be placed on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub site_selector: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkloadStatus {
    pub phase: Phase,
    /// The run: another attempt is another run.
    pub run_id: String,
    /// The process, on the platform's machine.
    pub pid: Option<u32>,
    /// Set when it ended by itself.
    pub exit_code: Option<i32>,
    /// Set when a signal ended it.
    pub signal: Option<i32>,
    /// When the process was started.
    pub started_at: Option<Timestamp>,
    /// When it had ended.
    pub finished_at: Option<Timestamp>,
    pub usage: Usage,
    /// File with its standard output and error.
    pub log_path: String,
    /// What it reported: metrics, counts, digests.
    pub outputs: BTreeMap<String, serde_json::Value>,
    /// Where it stands, aspect by aspect.
    pub conditions: Vec<Condition>,
    /// The generation of the spec this status tells of.
    pub observed_generation: i64,
}

/// What a process used, as the kernel counted it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// CPU time, user and system.
    pub cpu_seconds: f64,
    /// From start to end.
    pub wall_seconds: f64,
    /// The most memory it held at once.
    pub peak_rss_bytes: u64,
}

impl Validate for WorkloadSpec {
    fn validate(&self) -> Vec<FieldError> {
        if self.task.train.is_some() == self.task.replay.is_some() {
            return vec![FieldError::new("spec.task", "exactly one of train and replay must be set")];
        }
        Vec::new()
    }
}
