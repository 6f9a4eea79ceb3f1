//! What is particular about RoleBindings: they count in the transaction that stores them.

use bedplate_db::Tx;
use bedplate_kinds::{BoundRole, RoleBindingSpec};
use bedplate_policy::{Grant, Role};
use serde::Deserialize;
use serde_json::Value;

use crate::error::ApiError;
use crate::key::Key;
use crate::store::Event;

/// The name they are stored under.
pub const RESOURCE: &str = "rolebindings.bedplate.dev";

/// Brings the grants to what the binding says now.
pub fn take_effect(tx: &mut dyn Tx, key: &Key, event: Event, binding: &Value) -> Result<(), ApiError> {
    let grants = if event == Event::Deleted { Vec::new() } else { grants(&key.namespace, &binding["spec"])? };
    bedplate_policy::bind(tx, &key.namespace, &key.name, &grants).map_err(|error| ApiError::Internal(error.to_string()))
}

fn grants(namespace: &str, spec: &Value) -> Result<Vec<Grant>, ApiError> {
    let spec = RoleBindingSpec::deserialize(spec).map_err(|error| ApiError::Unprocessable(error.to_string()))?;
    let role = match spec.role {
        BoundRole::Viewer => Role::Viewer,
        BoundRole::Editor => Role::Editor,
        BoundRole::Owner => Role::Owner,
    };
    Ok(spec.subjects.iter().map(|subject| Grant::new(subject.principal(namespace), namespace, role)).collect())
}
