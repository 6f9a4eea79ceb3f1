//! Budget: what a namespace may cost in a calendar month (UTC). Counts when it is in the namespace `bedplate-system`.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::validate::{FieldError, Validate, not_empty};
use crate::{Amount, Phase};

#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "Budget",
    namespaced,
    status = "BudgetStatus",
    selectable = ".spec.namespace",
    printcolumn = r#"{"name":"For","type":"string","jsonPath":".spec.namespace"}"#,
    printcolumn = r#"{"name":"Monthly","type":"string","jsonPath":".spec.monthlyLimit"}"#,
    printcolumn = r#"{"name":"Enforcement","type":"string","jsonPath":".spec.enforcement"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct BudgetSpec {
    /// The namespace it is for.
    pub namespace: String,
    /// In the currency of the price sheet, for example "250.00".
    pub monthly_limit: Amount,
    /// hard: a plan that would go beyond it is refused. soft: the plan says so.
    #[serde(default)]
    pub enforcement: Enforcement,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Enforcement {
    #[default]
    Hard,
    Soft,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct BudgetStatus {
    pub phase: Phase,
    pub observed_generation: i64,
}

impl Validate for BudgetSpec {
    fn validate(&self) -> Vec<FieldError> {
        not_empty("spec.namespace", &self.namespace).into_iter().collect()
    }
}
