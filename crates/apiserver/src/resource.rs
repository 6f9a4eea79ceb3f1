//! One served resource: its names, its schema, its columns and its rules.

use bedplate_kinds::registry::Kind;
use serde_json::Value;

use crate::error::ApiError;
use crate::schema::Schema;
use crate::seal::Seal;
use crate::table::Column;
use crate::{event, secret};

/// A resource as the API serves it.
pub struct Resource {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) short_names: Vec<String>,
    pub(crate) namespaced: bool,
    pub(crate) has_status: bool,
    pub(crate) schema: Schema,
    pub(crate) columns: Vec<Column>,
    /// Fields a `fieldSelector` may name, besides the metadata's name and namespace.
    pub(crate) selectable: Vec<String>,
    pub(crate) rules: Rules,
}

/// What sets a resource apart from the others.
pub(crate) enum Rules {
    /// One of bedplate's kinds.
    Kind(Box<Kind>),
    Namespace,
    Secret(Seal),
    /// Stored and served as it is.
    Plain,
    /// `events.k8s.io/v1`: another spelling of the core events, which are what is stored.
    NewEvent,
    /// The kinds' own definitions, which only the server writes.
    Definition,
}

impl Resource {
    /// `v1`, `bedplate.dev/v1alpha1`
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `/api/v1`, `/apis/bedplate.dev/v1alpha1`
    pub fn path_prefix(&self) -> String {
        if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        }
    }

    pub fn kind(&self) -> &str {
        &self.kind
    }

    pub fn plural(&self) -> &str {
        &self.plural
    }

    pub fn is_namespaced(&self) -> bool {
        self.namespaced
    }

    /// Whether clients can only look at it.
    pub fn is_read_only(&self) -> bool {
        matches!(self.rules, Rules::Definition)
    }

    /// `datasets.bedplate.dev`, `secrets`: how errors name it.
    pub(crate) fn qualified(&self) -> String {
        qualified(&self.plural, &self.group)
    }

    /// `Dataset.bedplate.dev`: how `Invalid` errors name it.
    pub(crate) fn qualified_kind(&self) -> String {
        qualified(&self.kind, &self.group)
    }

    /// The name it is stored under: both spellings of events are one.
    pub(crate) fn storage(&self) -> String {
        if matches!(self.rules, Rules::NewEvent) { "events".to_owned() } else { self.qualified() }
    }

    /// Whether it counts the generations of its spec.
    pub(crate) fn has_generation(&self) -> bool {
        matches!(self.rules, Rules::Kind(_))
    }

    /// Whether a stored object is shown as it is.
    pub(crate) fn is_shown_as_stored(&self) -> bool {
        !matches!(self.rules, Rules::NewEvent | Rules::Secret(_))
    }

    /// A stored object in this resource's spelling.
    pub(crate) fn present(&self, stored: Value) -> Result<Value, ApiError> {
        match &self.rules {
            Rules::NewEvent => Ok(event::from_core(stored)),
            Rules::Secret(seal) => seal.open(stored),
            _ => Ok(stored),
        }
    }

    /// An object of this resource in the spelling it is stored in.
    pub(crate) fn to_stored(&self, object: Value) -> Result<Value, ApiError> {
        match &self.rules {
            Rules::NewEvent => Ok(event::to_core(object)),
            Rules::Secret(seal) => seal.close(object),
            _ => Ok(object),
        }
    }

    /// Completes what the client may leave out.
    pub(crate) fn complete(&self, object: &mut Value) {
        match self.rules {
            Rules::Secret(_) => secret::complete(object),
            Rules::Namespace if object["status"]["phase"].is_null() => object["status"]["phase"] = "Active".into(),
            _ => {}
        }
    }
}

fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}
