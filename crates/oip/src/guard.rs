//! Who calls, and whether they may.

use axum::http::{HeaderMap, header};
use bedplate_identity::{Authenticator, IdentityError, Principal};
use bedplate_policy::{Action, Decision, Policy, Resource};

use crate::error::OipError;
use crate::target::Target;

/// The kind whose objects are asked for predictions.
const KIND: &str = "endpoints";

pub(crate) struct Guard {
    pub authenticator: Authenticator,
    pub policy: Policy,
}

impl Guard {
    pub fn who(&self, headers: &HeaderMap) -> Result<Principal, IdentityError> {
        self.authenticator.authenticate(headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()))
    }

    /// Whoever may not even know of the endpoint is told what they would be told if it did not exist.
    pub fn check(&self, who: &Principal, action: Action, target: &Target) -> Result<(), OipError> {
        let decision = self.decide(who, action, target);
        if decision.allowed {
            Ok(())
        } else if self.decide(who, Action::Get, target).allowed {
            Err(OipError::Denied(decision.why().to_owned()))
        } else {
            Err(OipError::NoEndpoint(target.clone()))
        }
    }

    fn decide(&self, who: &Principal, action: Action, target: &Target) -> Decision {
        let resource = Resource { namespace: Some(&target.namespace), kind: KIND, name: Some(&target.endpoint) };
        self.policy.decide(&who.name, &who.groups, action, &resource)
    }
}
