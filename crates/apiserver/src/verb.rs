//! What a request wants done, and the right it takes.

use bedplate_policy::Action;
use http::Method;

use crate::error::ApiError;
use crate::resource::Resource;
use crate::target::Target;

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

    /// What the request wants of the resource, or why it is nothing the resource has.
    pub fn asked(resource: &Resource, target: &Target, method: &Method, watch: bool) -> Result<Self, ApiError> {
        let known_subresource = match target.subresource.as_deref() {
            None => true,
            Some("status") => resource.has_status,
            Some(_) => false,
        };
        if !known_subresource || (target.namespace.is_some() && !resource.namespaced) {
            return Err(ApiError::NoSuchPath);
        }
        let not_allowed = || ApiError::MethodNotAllowed { method: method.to_string() };
        let verb = Self::of(method, target.name.is_some(), watch).ok_or_else(not_allowed)?;
        let on_all_namespaces = resource.namespaced && target.namespace.is_none();
        if (on_all_namespaces && !matches!(verb, Self::List | Self::Watch))
            || (target.subresource.is_some() && !matches!(verb, Self::Get | Self::Update | Self::Patch))
        {
            return Err(not_allowed());
        }
        Ok(verb)
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
