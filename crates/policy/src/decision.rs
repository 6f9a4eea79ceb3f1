//! The answer to a question, and its reasons.

use bedplate_types::Scope;

use crate::question::EVERYWHERE;
use crate::{Action, Resource, Role};

/// Yes or no, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub allowed: bool,
    /// The ids of the policies that decided, as in `policies.cedar`; none on a denial for want of a permit.
    pub policies: Vec<String>,
    why: String,
}

impl Decision {
    /// One sentence for the caller: on a denial, which role would allow it and who can give it.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    pub(crate) fn allowed(policies: Vec<String>) -> Self {
        let why = format!("allowed by {}", policies.join(", "));
        Self { allowed: true, policies, why }
    }

    pub(crate) fn denied(policies: Vec<String>, why: String) -> Self {
        Self { allowed: false, policies, why }
    }
}

/// The denial of what a token's scope does not cover, whatever its principal may.
pub(crate) fn narrowed(
    principal: &str,
    groups: &[String],
    action: Action,
    resource: &Resource<'_>,
) -> Option<Decision> {
    let scope = Scope::among(groups).filter(|scope| !scope.covers(action.as_str(), resource.kind, resource.scope()))?;
    let (kind, place) = (resource.kind, resource.scope());
    let why = format!("this token of {principal} is narrowed to {scope}, which does not cover {action}:{kind}:{place}");
    Some(Decision::denied(Vec::new(), why))
}

/// What a denial says, given the weakest role that would have allowed it.
pub(crate) fn denial(principal: &str, action: Action, resource: &Resource<'_>, remedy: Option<Role>) -> String {
    let kind = resource.kind;
    let (place, owner) = match resource.scope() {
        EVERYWHERE => ("in all namespaces".to_owned(), "an administrator (an owner of all namespaces)".to_owned()),
        namespace => (format!("in namespace {namespace}"), format!("an owner of namespace {namespace}")),
    };
    match remedy {
        Some(role) => format!("{principal} may not {action} {kind} {place}: ask {owner} for role {role}"),
        None => format!("{principal} may not {action} {kind} {place}, and no role allows it"),
    }
}
