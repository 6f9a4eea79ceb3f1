//! The four ways a PATCH can say what to change, told apart by the content type.

mod json;
mod merge;
mod strategic;

use serde_json::Value;

use crate::body;
use crate::error::ApiError;
use crate::managed::{self, Author};
use crate::meta;
use crate::resource::{Resource, Rules};

const ACCEPTED: &str = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";

/// What a write wants of an object.
pub enum Change {
    /// PUT.
    Replace(Value),
    Merge(Value),
    Json(json_patch::Patch),
    Strategic(Value),
    Apply {
        config: Value,
        force: bool,
    },
}

impl Change {
    /// Reads a patch. A strategic merge patch of one of bedplate's kinds is refused with 415, as Kubernetes does for custom
    /// resources: their schemas have no merge keys.
    pub fn read(
        content_type: &str,
        bytes: &[u8],
        resource: &Resource,
        status_only: bool,
        force: bool,
    ) -> Result<Self, ApiError> {
        match body::media_type(content_type) {
            "application/json-patch+json" => json::read(bytes).map(Self::Json),
            "application/merge-patch+json" => body::json_object(bytes).map(Self::Merge),
            "application/apply-patch+yaml" => Self::read_apply(bytes, resource, status_only, force),
            "application/strategic-merge-patch+json" if !matches!(resource.rules, Rules::Kind(_)) => {
                body::json_object(bytes).map(Self::Strategic)
            }
            _ => Err(ApiError::UnsupportedMediaType { accepted: ACCEPTED }),
        }
    }

    /// An apply owns only what its endpoint lets it change: the rest of the configuration is left out.
    fn read_apply(bytes: &[u8], resource: &Resource, status_only: bool, force: bool) -> Result<Self, ApiError> {
        let mut config = body::yaml_object(bytes)?;
        if config["metadata"]["managedFields"].as_array().is_some_and(|entries| !entries.is_empty()) {
            return Err(ApiError::BadRequest("metadata.managedFields must be nil".to_owned()));
        }
        meta::of_mut(&mut config).remove("managedFields");
        let Some(fields) = config.as_object_mut() else { return Ok(Self::Apply { config, force }) };
        if status_only {
            fields.retain(|name, _| matches!(name.as_str(), "apiVersion" | "kind" | "status"));
        } else if resource.has_status {
            fields.remove("status");
        }
        Ok(Self::Apply { config, force })
    }

    /// Whether it makes the object when it is not there.
    pub fn creates(&self) -> bool {
        matches!(self, Self::Apply { .. })
    }

    /// The object as the client wants it. `old` is `Null` for an apply that creates.
    pub fn onto(&self, old: &Value, author: &Author, schema: &Value) -> Result<Value, ApiError> {
        match self {
            Self::Replace(object) => Ok(object.clone()),
            Self::Merge(patch) => Ok(merge::merge(old, patch)),
            Self::Json(patch) => json::apply(old, patch),
            Self::Strategic(patch) => Ok(strategic::apply(old, patch)),
            Self::Apply { config, force } => managed::apply(old, config, author, *force, schema),
        }
    }

    /// The word for it in the audit log.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Replace(_) => "update",
            Self::Apply { .. } => "apply",
            _ => "patch",
        }
    }
}
