//! Who calls, and whether they may.

use axum::http::{HeaderMap, header};
use bedplate_identity::{Authenticator, IdentityError, Principal};
use bedplate_policy::{Action, Context, Decision, Policy, Question, Resource, Tags};

use crate::error::OipError;
use crate::target::Target;

/// The kind whose objects are asked for predictions.
pub(crate) const KIND: &str = "Endpoint";

/// What a request is made for.
const PURPOSE_HEADER: &str = "x-bedplate-purpose";

pub(crate) struct Guard {
    pub authenticator: Authenticator,
    pub policy: Policy,
}

impl Guard {
    pub fn who(&self, headers: &HeaderMap) -> Result<Principal, IdentityError> {
        self.authenticator.authenticate(headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()))
    }

    /// Whoever may not even know of the endpoint is told what they would be told if it did not exist.
    /// `tags` are those of what is asked, where it is there.
    pub fn check(
        &self,
        who: &Principal,
        action: Action,
        target: &Target,
        tags: &Tags,
        purpose: Option<&str>,
    ) -> Result<(), OipError> {
        let decision = self.decide(who, action, target, tags, purpose);
        if decision.allowed {
            Ok(())
        } else if self.decide(who, Action::Get, target, tags, purpose).allowed {
            Err(OipError::Denied(decision.why().to_owned()))
        } else {
            Err(OipError::NoEndpoint(target.clone()))
        }
    }

    fn decide(&self, who: &Principal, action: Action, target: &Target, tags: &Tags, purpose: Option<&str>) -> Decision {
        let resource = Resource { namespace: Some(&target.namespace), kind: KIND, name: Some(&target.endpoint) };
        let question = Question::new(&who.name, &who.groups, action, resource);
        self.policy.ask(&question.tagged(tags).within(Context { purpose, site: None }))
    }
}

pub(crate) fn purpose(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(PURPOSE_HEADER)
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
        .filter(|purpose| !purpose.is_empty())
}
