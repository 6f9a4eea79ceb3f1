//! Who calls, and whether they may.

use axum::http::{HeaderMap, header};
use bedplate_identity::{Authenticator, IdentityError, Principal};
use bedplate_policy::{Action, Policy};

use crate::error::Failure;
use crate::event::Event;
use crate::sight::Sight;

pub(crate) struct Guard {
    pub authenticator: Authenticator,
    pub policy: Policy,
}

impl Guard {
    pub fn who(&self, headers: &HeaderMap) -> Result<Principal, IdentityError> {
        self.authenticator.authenticate(headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()))
    }

    pub fn sight(&self, who: &Principal, action: Action) -> Sight {
        Sight { policy: self.policy.clone(), who: who.clone(), action }
    }

    /// Whether every namespace that the event names may be written. Whoever may not even look into one is told that it
    /// is not there.
    pub fn may_tell(&self, who: &Principal, event: &Event) -> Result<(), Failure> {
        let (write, look) = (self.sight(who, Action::Create), self.sight(who, Action::List));
        for namespace in event.namespaces() {
            let decision = write.decide(namespace);
            if decision.allowed {
                continue;
            }
            return Err(match look.reaches(namespace) {
                true => Failure::Denied(decision.why().to_owned()),
                false => Failure::NotFound(format!("namespace {namespace:?}")),
            });
        }
        Ok(())
    }
}
