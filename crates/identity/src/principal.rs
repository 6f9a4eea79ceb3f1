//! Who somebody is, once it is known.

use serde::{Deserialize, Serialize};

/// A caller: `user:admin`, `system:controllers`, `workload:ns/name`, and the groups it is in (`system:masters`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Principal {
    pub name: String,
    #[serde(default)]
    pub groups: Vec<String>,
}

impl Principal {
    /// A principal in no group.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), groups: Vec::new() }
    }
}
