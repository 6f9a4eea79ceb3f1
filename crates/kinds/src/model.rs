//! Model: a name under which gated, signed versions are kept.

use std::collections::BTreeMap;

use bedplate_types::Timestamp;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::validate::{FieldError, Validate, not_empty};
use crate::{Condition, DataTags, Phase};

/// A name under which gated, signed versions are kept.
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
    /// The team that answers for it.
    pub owner: String,
    /// What it predicts, for people.
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
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["version"]))]
    pub versions: Vec<ModelVersion>,
    /// Where it stands, aspect by aspect.
    pub conditions: Vec<Condition>,
    /// The generation of the spec this status tells of.
    pub observed_generation: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelVersion {
    /// 1 for the first.
    pub version: u32,
    /// SHA-256 of the ONNX file's bytes.
    pub digest: String,
    /// The folder with model.onnx, signature.json and model.sig.
    pub location: String,
    /// The TrainingRecipe it came of.
    pub recipe: String,
    /// The run that fitted it.
    pub run_id: String,
    /// Digest of the training set's snapshot.
    pub training_set: String,
    /// The version of each view it was trained on.
    pub view_versions: BTreeMap<String, String>,
    /// auc, logLoss and brier of the test window.
    pub metrics: BTreeMap<String, f64>,
    /// What every gate found.
    pub gates: Vec<GateResult>,
    /// Whether its folder holds a signature.
    pub signed: bool,
    /// How the data it was trained from may be used: it binds the model too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<DataTags>,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// What a gate found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateResult {
    /// The gate, as the recipe calls it.
    pub name: String,
    /// Whether it let the model through.
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
