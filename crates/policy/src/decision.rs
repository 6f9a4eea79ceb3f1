//! The answer to a question, and its reasons.

use std::sync::Arc;

use bedplate_types::Scope;

use crate::engine::Answer;
use crate::question::EVERYWHERE;
use crate::{Question, Role};

/// Yes or no, and why. A clone costs two counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub allowed: bool,
    /// The ids of the policies that decided; none on a denial for want of a permit.
    pub policies: Arc<[String]>,
    why: Arc<str>,
    /// It is a denial because the rules could not be asked.
    pub(crate) is_unasked: bool,
}

impl Decision {
    /// One sentence for the caller: on a denial, which policy forbids it or which role would allow it, and what helps.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    pub(crate) fn allowed(policies: Vec<String>) -> Self {
        let why = format!("allowed by {}", policies.join(", "));
        Self { allowed: true, policies: policies.into(), why: why.into(), is_unasked: false }
    }

    pub(crate) fn denied(policies: Vec<String>, why: String) -> Self {
        Self { allowed: false, policies: policies.into(), why: why.into(), is_unasked: false }
    }

    pub(crate) fn unasked(policies: Vec<String>, error: &str) -> Self {
        Self { is_unasked: true, ..Self::denied(policies, format!("the policy could not be asked: {error}")) }
    }
}

/// The denial of what a token's scope does not cover, whatever its principal may.
pub(crate) fn narrowed(question: &Question<'_>) -> Option<Decision> {
    let Question { principal, groups, action, resource, .. } = question;
    let (kind, place) = (resource.kind, resource.scope());
    let scope = Scope::among(groups).filter(|scope| !scope.covers(action.as_str(), kind, place))?;
    let why = format!("this token of {principal} is narrowed to {scope}, which does not cover {action}:{kind}:{place}");
    Some(Decision::denied(Vec::new(), why))
}

/// What a denial says for want of a permit, given the weakest role that would have allowed it.
pub(crate) fn unpermitted(question: &Question<'_>, remedy: Option<Role>) -> String {
    let owner = match question.resource.scope() {
        EVERYWHERE => "an administrator (an owner of all namespaces)".to_owned(),
        namespace => format!("an owner of namespace {namespace}"),
    };
    match remedy {
        Some(role) => format!("{}: ask {owner} for role {role}", may_not(question)),
        None => format!("{}, and no role allows it", may_not(question)),
    }
}

/// What a denial says when policies forbid it.
pub(crate) fn forbidden(question: &Question<'_>, answer: &Answer) -> String {
    let policies = answer.policies.join(", ");
    let noun = if answer.policies.len() == 1 { "policy" } else { "policies" };
    let helps = match answer.advice.as_slice() {
        [] => "its owner can say what would be allowed".to_owned(),
        advice => advice.join("; "),
    };
    format!("{}: forbidden by {noun} {policies}: {helps}", may_not(question))
}

fn may_not(question: &Question<'_>) -> String {
    let Question { principal, action, resource, context, .. } = question;
    let place = match resource.scope() {
        EVERYWHERE => "in all namespaces".to_owned(),
        namespace => format!("in namespace {namespace}"),
    };
    let purpose = context.purpose.map(|purpose| format!(" for purpose {purpose}")).unwrap_or_default();
    let site = context.site.map(|site| format!(" at site {site}")).unwrap_or_default();
    format!("{principal} may not {action} {} {place}{purpose}{site}", resource.kind)
}
