//! What a request wants done, and the right it takes.

use bedplate_policy::Action;
use http::Method;

/// The verbs of Kubernetes' API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

impl Verb {
    pub fn of(method: &Method, named: bool, watch: bool) -> Option<Self> {
        match (method.as_str(), named) {
            ("GET" | "HEAD", true) => Some(Self::Get),
            ("GET" | "HEAD", false) => Some(if watch { Self::Watch } else { Self::List }),
            ("POST", false) => Some(Self::Create),
            ("PUT", true) => Some(Self::Update),
            ("PATCH", true) => Some(Self::Patch),
            ("DELETE", true) => Some(Self::Delete),
            ("DELETE", false) => Some(Self::DeleteCollection),
            _ => None,
        }
    }

    pub const fn action(self) -> Action {
        match self {
            Self::Get => Action::Get,
            Self::List => Action::List,
            Self::Watch => Action::Watch,
            Self::Create => Action::Create,
            Self::Update => Action::Update,
            Self::Patch => Action::Patch,
            Self::Delete | Self::DeleteCollection => Action::Delete,
        }
    }
}
