//! Model: a name under which gated, signed versions are kept.

use std::collections::BTreeMap;

use bedplate_types::Timestamp;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::validate::{FieldError, Validate, not_empty};
use crate::{Condition, DataTags, Phase};

#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "Model",
    namespaced,
    status = "ModelStatus",
    selectable = ".spec.owner",
    selectable = ".status.phase",
    printcolumn = r#"{"name":"Phase","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Latest","type":"integer","jsonPath":".status.latest"}"#,
    printcolumn = r#"{"name":"Owner","type":"string","jsonPath":".spec.owner","priority":1}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct ModelSpec {
    pub owner: String,
    #[serde(default)]
    pub description: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ModelStatus {
    pub phase: Phase,
    /// The newest version.
    pub latest: Option<u32>,
    /// Oldest first.
    pub versions: Vec<ModelVersion>,
    pub conditions: Vec<Condition>,
    pub observed_generation: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelVersion {
    pub version: u32,
    /// SHA-256 of the ONNX file's bytes.
    pub digest: String,
    /// The folder with model.onnx, signature.json and model.sig.
    pub location: String,
    pub recipe: String,
    pub run_id: String,
    pub training_set: String,
    pub view_versions: BTreeMap<String, String>,
    pub metrics: BTreeMap<String, f64>,
    pub gates: Vec<GateResult>,
    pub signed: bool,
    /// How the data it was trained from may be used: it binds the model too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<DataTags>,
    pub created_at: Timestamp,
}

/// What a gate found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateResult {
    pub name: String,
    pub passed: bool,
    /// The figure it looked at.
    pub value: f64,
    /// The bound it held it against.
    pub bound: f64,
    /// A sentence with the evidence.
    #[serde(default)]
    pub detail: String,
}

impl Validate for ModelSpec {
    fn validate(&self) -> Vec<FieldError> {
        not_empty("spec.owner", &self.owner).into_iter().collect()
    }
}
