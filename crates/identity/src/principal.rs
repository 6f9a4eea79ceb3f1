//! Who somebody is, once it is known.

use bedplate_types::Scope;
use serde::{Deserialize, Serialize};

/// A caller: `user:admin`, `system:controllers`, `workload:ns/name`, and the groups it is in (`system:masters`). What its
/// token narrows it to is among the groups ([`Scope::GROUP`]), so that whoever asks for a decision hands it on.
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

    /// The same with these of its rights only.
    #[must_use]
    pub fn narrowed(mut self, scope: Option<&Scope>) -> Self {
        self.groups.extend(scope.map(Scope::group));
        self
    }

    /// What it is narrowed to, if it is.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        Scope::among(&self.groups)
    }
}
