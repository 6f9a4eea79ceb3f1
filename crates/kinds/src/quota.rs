//! Quota: how much of what a namespace may hold at the same time. Counts when it is in the namespace `bedplate-system`.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Phase;
use crate::validate::{FieldError, Validate, not_empty};

#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "Quota",
    namespaced,
    status = "QuotaStatus",
    selectable = ".spec.namespace",
    printcolumn = r#"{"name":"For","type":"string","jsonPath":".spec.namespace"}"#,
    printcolumn = r#"{"name":"Milli-CPU","type":"integer","jsonPath":".spec.milliCpu"}"#,
    printcolumn = r#"{"name":"MiB","type":"integer","jsonPath":".spec.memoryMib"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct QuotaSpec {
    /// The namespace it bounds.
    pub namespace: String,
    /// The most objects of a kind, by plural: endpoints: 3.
    #[serde(default)]
    pub objects: BTreeMap<String, u64>,
    /// The most thousandths of a core that unfinished workloads and endpoints ask for together. What asks for none counts
    /// as one core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milli_cpu: Option<u64>,
    /// The most memory they ask for together. What asks for none counts as 512 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct QuotaStatus {
    pub phase: Phase,
    pub observed_generation: i64,
}

impl Validate for QuotaSpec {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors: Vec<_> = not_empty("spec.namespace", &self.namespace).into_iter().collect();
        if self.objects.is_empty() && self.milli_cpu.is_none() && self.memory_mib.is_none() {
            errors.push(FieldError::new("spec", "must bound something: objects, milliCpu or memoryMib"));
        }
        errors
    }
}
