//! Endpoint: a model version with its features, behind the Open Inference Protocol.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::validate::{FieldError, Validate, not_empty};
use crate::{Condition, Phase};

/// A model version with its features, behind the Open Inference Protocol.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "Endpoint",
    namespaced,
    status = "EndpointStatus",
    selectable = ".spec.model",
    selectable = ".status.phase",
    shortname = "ep",
    printcolumn = r#"{"name":"Phase","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Model","type":"string","jsonPath":".spec.model"}"#,
    printcolumn = r#"{"name":"Version","type":"integer","jsonPath":".status.version"}"#,
    printcolumn = r#"{"name":"URL","type":"string","jsonPath":".status.url"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSpec {
    /// The Model it serves.
    pub model: String,
    /// A version of the model; the newest when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// What is asked of it, for people.
    #[serde(default)]
    pub description: String,
    /// What it is reckoned with in plans, quotas and simulated load. The platform serves every endpoint in its own process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<EndpointCapacity>,
}

/// What one replica is reckoned to need and to answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct EndpointCapacity {
    /// How many; one when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// What one replica answers in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<u32>,
    /// Thousandths of a core of one replica; one core when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milli_cpu: Option<u64>,
    /// Memory of one replica; 512 MiB when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u64>,
    /// Accelerators of one replica by type.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub accelerators: BTreeMap<String, u32>,
    /// Labels of the sites it may be placed on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub site_selector: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct EndpointStatus {
    pub phase: Phase,
    /// The version that is served.
    pub version: Option<u32>,
    /// SHA-256 of the served model's bytes.
    pub digest: String,
    /// Where predictions are asked.
    pub url: String,
    /// Where it stands, aspect by aspect.
    pub conditions: Vec<Condition>,
    /// The generation of the spec this status tells of.
    pub observed_generation: i64,
}

impl Validate for EndpointSpec {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors: Vec<_> = not_empty("spec.model", &self.model).into_iter().collect();
        let capacity = self.capacity.as_ref();
        if capacity.is_some_and(|capacity| capacity.requests_per_second == Some(0)) {
            errors.push(FieldError::new("spec.capacity.requestsPerSecond", "must be 1 or more"));
        }
        errors
    }
}
