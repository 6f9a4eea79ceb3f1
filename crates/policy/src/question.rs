//! What can be asked: an action on an object, or on all objects of a kind.

use std::fmt;

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    /// Ask an endpoint for a prediction.
    Predict,
    /// Push feature values.
    Push,
    /// Read rows, not only descriptions of them.
    ReadData,
}

impl Action {
    pub const ALL: [Self; 10] = [
        Self::Get,
        Self::List,
        Self::Watch,
        Self::Create,
        Self::Update,
        Self::Patch,
        Self::Delete,
        Self::Predict,
        Self::Push,
        Self::ReadData,
    ];

    /// The name in `schema.cedar`; the Kubernetes verb where there is one.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Predict => "predict",
            Self::Push => "push",
            Self::ReadData => "read-data",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What it is to be done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource<'a> {
    /// `None`: in all namespaces, or outside of them.
    pub namespace: Option<&'a str>,
    /// The kind (`Dataset`) or its plural (`datasets`).
    pub kind: &'a str,
    pub name: Option<&'a str>,
}

/// The platform as a whole: what a grant for all namespaces is about.
pub(crate) const EVERYWHERE: &str = "*";

impl Resource<'_> {
    /// The namespace whose grants count. A Namespace object is in itself: its owners own it.
    pub(crate) fn scope(&self) -> &str {
        let namespace = match self.name {
            Some(name) if self.kind_known_to_the_rules() == "Namespace" => Some(name),
            _ => self.namespace,
        };
        namespace.filter(|name| !name.is_empty()).unwrap_or(EVERYWHERE)
    }

    /// The kind, spelled as the rules spell the ones they name.
    pub(crate) fn kind_known_to_the_rules(&self) -> &str {
        match self.kind.to_ascii_lowercase().as_str() {
            "namespace" | "namespaces" => "Namespace",
            "secret" | "secrets" => "Secret",
            "token" | "tokens" => "Token",
            "rolebinding" | "rolebindings" => "RoleBinding",
            _ => self.kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_in_itself_and_a_plural_is_its_kind() {
        let check = |kind, namespace, name, scope: &str| {
            assert_eq!(Resource { namespace, kind, name }.scope(), scope, "{kind} {namespace:?} {name:?}");
        };
        check("namespaces", None, Some("flights"), "flights");
        check("Namespace", None, None, "*");
        check("Dataset", Some("flights"), Some("weather"), "flights");
        check("datasets", None, None, "*");
        assert_eq!(Resource { namespace: None, kind: "secrets", name: None }.kind_known_to_the_rules(), "Secret");
    }
}
