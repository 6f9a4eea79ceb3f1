//! Entity: the thing features are about, and the columns that name one of it.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::validate::{FieldError, Validate, duplicates};
use crate::{ColumnType, Phase};

/// The thing features are about, and the columns that name one of it.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "Entity",
    namespaced,
    status = "EntityStatus",
    printcolumn = r#"{"name":"Join keys","type":"string","jsonPath":".spec.joinKeys[*].name"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct EntitySpec {
    /// What it is, for people.
    #[serde(default)]
    pub description: String,
    /// The columns that together name one of it.
    pub join_keys: Vec<JoinKey>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JoinKey {
    /// The column, in every source of its features and in requests.
    pub name: String,
    /// string, int32 or int64.
    #[serde(rename = "type")]
    pub type_: ColumnType,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct EntityStatus {
    pub phase: Phase,
    /// The generation of the spec this status tells of.
    pub observed_generation: i64,
}

impl Validate for EntitySpec {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = duplicates("spec.joinKeys", self.join_keys.iter().map(|key| key.name.as_str()));
        if self.join_keys.is_empty() {
            errors.push(FieldError::new("spec.joinKeys", "must name at least one column"));
        }
        for (i, key) in self.join_keys.iter().enumerate() {
            if !matches!(key.type_, ColumnType::String | ColumnType::Int64 | ColumnType::Int32) {
                errors.push(FieldError::new(format!("spec.joinKeys[{i}].type"), "must be string, int32 or int64"));
            }
        }
        errors
    }
}
