//! Policy: rules in Cedar, beside the roles. One of the namespace `bedplate-system` counts everywhere, any other in its own
//! namespace only. It counts from the moment it is stored.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Phase;
use crate::validate::{FieldError, Validate, not_empty};

/// The longest text, in bytes.
const LONGEST: usize = 64 << 10;

#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "Policy",
    plural = "policies",
    namespaced,
    status = "PolicyStatus",
    shortname = "pol",
    printcolumn = r#"{"name":"Description","type":"string","jsonPath":".spec.description"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct PolicySpec {
    /// Policies in Cedar's language, valid by the schema that `bedplate policy schema` prints.
    pub cedar: String,
    #[serde(default)]
    pub description: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PolicyStatus {
    pub phase: Phase,
    pub observed_generation: i64,
}

impl Validate for PolicySpec {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors: Vec<_> = not_empty("spec.cedar", &self.cedar).into_iter().collect();
        if self.cedar.len() > LONGEST {
            let why = format!("has {} bytes; a policy has at most {LONGEST}", self.cedar.len());
            errors.push(FieldError::new("spec.cedar", why));
        }
        errors
    }
}
