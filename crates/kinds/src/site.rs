//! Site: a place where things can run and data can lie. Sites are declared in the namespace `bedplate-system`; where none
//! is, the platform's own machine is the one site.

use std::collections::BTreeMap;

use bedplate_types::Timestamp;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Phase;
use crate::validate::{FieldError, Validate, duplicates, not_empty};

#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "Site",
    namespaced,
    status = "SiteStatus",
    selectable = ".spec.provider",
    selectable = ".spec.state",
    printcolumn = r#"{"name":"Provider","type":"string","jsonPath":".spec.provider"}"#,
    printcolumn = r#"{"name":"Region","type":"string","jsonPath":".spec.region"}"#,
    printcolumn = r#"{"name":"State","type":"string","jsonPath":".spec.state"}"#,
    printcolumn = r#"{"name":"Milli-CPU","type":"integer","jsonPath":".spec.capacity.milliCpu"}"#,
    printcolumn = r#"{"name":"MiB","type":"integer","jsonPath":".spec.capacity.memoryMib"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct SiteSpec {
    /// Who runs it: local, on-premises, aws, azure, gcp, …
    pub provider: String,
    /// The provider's region; things of one region are near each other.
    #[serde(default)]
    pub region: String,
    /// The jurisdictions it lies in, for example eu and de. What has a residency is placed only where it is named.
    #[serde(default)]
    pub residency: Vec<String>,
    /// What can be placed there at the same time.
    pub capacity: SiteCapacity,
    /// What a resource of the price sheet costs there, in percent of the sheet's price; 100 where none is named.
    #[serde(default)]
    pub price_factors: BTreeMap<String, u32>,
    /// Whether anything may be placed there.
    #[serde(default)]
    pub state: SiteState,
    /// From then on nothing new is placed there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain_from: Option<Timestamp>,
}

/// What a site can carry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SiteCapacity {
    /// Thousandths of a core.
    pub milli_cpu: u64,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Accelerators by type, for example h100: 8.
    #[serde(default)]
    pub accelerators: BTreeMap<String, u32>,
}

/// Whether a site takes what is new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SiteState {
    #[default]
    Active,
    /// What is there stays; nothing new is placed there.
    Draining,
    Down,
}

impl SiteState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Draining => "draining",
            Self::Down => "down",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SiteStatus {
    pub phase: Phase,
    pub observed_generation: i64,
}

impl Validate for SiteSpec {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = duplicates("spec.residency", self.residency.iter().map(String::as_str));
        errors.extend(not_empty("spec.provider", &self.provider));
        if self.capacity.milli_cpu == 0 {
            errors.push(FieldError::new("spec.capacity.milliCpu", "must be more than 0; one core is 1000"));
        }
        errors
    }
}
