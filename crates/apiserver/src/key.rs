//! Where an object is kept.

use std::fmt;

/// Identifies one stored object. `namespace` is empty for what belongs to the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The resource's storage name: `secrets`, `datasets.bedplate.dev`.
    pub resource: String,
    pub namespace: String,
    pub name: String,
}

impl Key {
    pub fn new(resource: &str, namespace: Option<&str>, name: &str) -> Self {
        Self {
            resource: resource.to_owned(),
            namespace: namespace.unwrap_or_default().to_owned(),
            name: name.to_owned(),
        }
    }

    /// The resource without its group: `datasets`.
    pub fn plural(&self) -> &str {
        self.resource.split('.').next().unwrap_or(&self.resource)
    }
}

/// `datasets/ns/name`, as the audit log names objects.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.plural())?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}
