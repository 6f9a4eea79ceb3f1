//! What can be asked: an action on an object, or on all objects of a kind.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Tags;

/// What somebody wants to do: Kubernetes' verbs, and what is done with data, models and machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// Read a column as it is, where others read its mask.
    ReadUnmasked,
    /// Read the rows that a filter keeps from others.
    ReadUnfiltered,
    /// Learn from rows.
    Train,
    /// Move a model's alias to a version.
    Promote,
    /// Give a workload a machine at a site.
    Place,
    /// Bring a model onto a device.
    Install,
}

impl Action {
    pub const ALL: [Self; 16] = [
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
        Self::ReadUnmasked,
        Self::ReadUnfiltered,
        Self::Train,
        Self::Promote,
        Self::Place,
        Self::Install,
    ];

    /// The name of its group in the schema; the Kubernetes verb where there is one.
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
            Self::ReadUnmasked => "read-unmasked",
            Self::ReadUnfiltered => "read-unfiltered",
            Self::Train => "train",
            Self::Promote => "promote",
            Self::Place => "place",
            Self::Install => "install",
        }
    }

    /// The action called so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }

    /// Whether it is about an object as it is declared, and not about what the object stands for.
    pub(crate) const fn is_on_objects(self) -> bool {
        matches!(self, Self::Get | Self::List | Self::Watch | Self::Create | Self::Update | Self::Patch | Self::Delete)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What it is to be done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resource<'a> {
    /// `None`: in all namespaces, or outside of them.
    pub namespace: Option<&'a str>,
    /// The kind (`Dataset`) or its plural (`datasets`).
    pub kind: &'a str,
    pub name: Option<&'a str>,
}

/// What is done it for, and where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Context<'a> {
    pub purpose: Option<&'a str>,
    /// `eu-west-1`; what stands before the first hyphen is its region.
    pub site: Option<&'a str>,
}

/// A question with everything the rules may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Question<'a> {
    /// `user:ana`, `serviceaccount:ns/name`, `workload:ns/name`, `device:ns/name`, `system:controllers`.
    pub principal: &'a str,
    pub groups: &'a [String],
    pub action: Action,
    pub resource: Resource<'a>,
    pub tags: &'a Tags,
    pub context: Context<'a>,
}

impl<'a> Question<'a> {
    /// Without tags and context.
    #[must_use]
    pub const fn new(principal: &'a str, groups: &'a [String], action: Action, resource: Resource<'a>) -> Self {
        Self { principal, groups, action, resource, tags: Tags::none(), context: Context { purpose: None, site: None } }
    }

    #[must_use]
    pub const fn tagged(self, tags: &'a Tags) -> Self {
        Self { tags, ..self }
    }

    #[must_use]
    pub const fn within(self, context: Context<'a>) -> Self {
        Self { context, ..self }
    }
}

/// A context that lasts, for what is stored or sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Circumstances {
    pub purpose: Option<String>,
    pub site: Option<String>,
}

impl Circumstances {
    #[must_use]
    pub fn context(&self) -> Context<'_> {
        Context { purpose: self.purpose.as_deref(), site: self.site.as_deref() }
    }
}

/// The platform as a whole: what a grant for all namespaces is about.
pub(crate) const EVERYWHERE: &str = "*";

/// The namespace whose policies count everywhere.
pub(crate) const PLATFORM: &str = "bedplate-system";

impl Resource<'_> {
    /// The namespace whose grants and policies count. A Namespace object is in itself: its owners own it.
    pub(crate) fn scope(&self) -> &str {
        let namespace = match self.name {
            Some(name) if self.is_namespace() => Some(name),
            _ => self.namespace,
        };
        namespace.filter(|name| !name.is_empty()).unwrap_or(EVERYWHERE)
    }

    pub(crate) fn is_namespace(&self) -> bool {
        self.kind.eq_ignore_ascii_case("Namespace") || self.kind.eq_ignore_ascii_case("namespaces")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_in_itself() {
        let check = |kind, namespace, name, scope: &str| {
            assert_eq!(Resource { namespace, kind, name }.scope(), scope, "{kind} {namespace:?} {name:?}");
        };
        check("namespaces", None, Some("flights"), "flights");
        check("Namespace", None, None, "*");
        check("Dataset", Some("flights"), Some("weather"), "flights");
        check("datasets", None, None, "*");
        check("datasets", Some(""), None, "*");
    }

    #[test]
    fn every_action_is_known_by_its_name() {
        assert!(Action::ALL.into_iter().all(|action| Action::parse(action.as_str()) == Some(action)));
        assert_eq!(Action::parse("Get"), None);
    }
}
