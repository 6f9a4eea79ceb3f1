//! The document an API server sends. What is not needed of it is not read.

use serde::Deserialize;
use serde_json::Value;

use super::caller::UserInfo;
use crate::error::ApiError;
use crate::meta;

pub const API_VERSION: &str = "admission.k8s.io/v1";
pub const KIND: &str = "AdmissionReview";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    api_version: String,
    kind: String,
    pub request: Asked,
}

/// One write somebody wants done.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    pub uid: String,
    pub resource: GroupVersionResource,
    #[serde(default)]
    pub sub_resource: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
    pub operation: Operation,
    pub user_info: UserInfo,
    #[serde(default)]
    pub object: Value,
    #[serde(default)]
    pub old_object: Value,
    #[serde(default)]
    pub dry_run: bool,
}

#[derive(Debug, Deserialize)]
pub struct GroupVersionResource {
    #[serde(default)]
    pub group: String,
    pub version: String,
    pub resource: String,
}

/// The kinds have nothing to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operation {
    Create,
    Update,
    Delete,
}

impl Review {
    /// The error says where reading stopped, and nothing of what was read: it may be a Secret.
    pub fn parse(bytes: &[u8]) -> Result<Self, ApiError> {
        let refused = |why: String| ApiError::BadRequest(format!("not an {KIND} of {API_VERSION}: {why}"));
        let review: Self = serde_json::from_slice(bytes)
            .map_err(|error| refused(format!("line {}, column {}", error.line(), error.column())))?;
        if review.api_version != API_VERSION || review.kind != KIND {
            return Err(refused("another kind or version".to_owned()));
        }
        if review.request.uid.is_empty() || review.request.user_info.username.is_empty() {
            return Err(refused("its request has no uid, or says not who asks".to_owned()));
        }
        if review.request.operation != Operation::Delete && !review.request.object.is_object() {
            return Err(refused("its request has no object".to_owned()));
        }
        Ok(review)
    }
}

impl Asked {
    pub fn namespace(&self) -> Option<&str> {
        Some(self.namespace.as_str()).filter(|namespace| !namespace.is_empty())
    }

    /// Of a creation it may stand in the object alone.
    pub fn name(&self) -> Option<&str> {
        let given = Some(self.name.as_str()).filter(|name| !name.is_empty());
        given.or_else(|| meta::text(&self.object, "name"))
    }

    /// Whether there is anything to check. An object that an older version let in must still lose its finalizers.
    pub fn brings_something_new(&self) -> bool {
        let part = self.sub_resource.as_deref().unwrap_or("spec");
        match self.operation {
            Operation::Create => true,
            Operation::Update => self.object.get(part) != self.old_object.get(part),
            Operation::Delete => false,
        }
    }

    /// What is told of: the object, or the one that goes.
    pub fn told(&self) -> &Value {
        if self.operation == Operation::Delete { &self.old_object } else { &self.object }
    }
}
