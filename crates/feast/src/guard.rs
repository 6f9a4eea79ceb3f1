//! Who calls, in which namespace, and whether they may.

use axum::http::{HeaderMap, header};
use bedplate_identity::{Authenticator, IdentityError, Principal};
use bedplate_policy::{Action, Context, Policy, Question, Resource};

use crate::error::FeastError;
use crate::{SelectedView, StoreError};

const NAMESPACE_HEADER: &str = "x-bedplate-namespace";
const PURPOSE_HEADER: &str = "x-bedplate-purpose";

/// The kind whose data is pushed and read.
pub(crate) const KIND: &str = "FeatureView";

pub(crate) struct Guard {
    pub authenticator: Authenticator,
    pub policy: Policy,
}

/// A caller who is known, and the namespace they mean.
pub(crate) struct Caller {
    pub principal: Principal,
    pub namespace: String,
}

impl Guard {
    pub fn who(&self, headers: &HeaderMap) -> Result<Caller, IdentityError> {
        let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let principal = self.authenticator.authenticate(authorization)?;
        let namespace = namespace(headers, &principal);
        Ok(Caller { principal, namespace })
    }

    /// Whoever may not even look into the namespace is told that what they ask for is not there: `missing`.
    pub fn check(&self, caller: &Caller, action: Action, missing: StoreError) -> Result<(), FeastError> {
        let Caller { principal, namespace } = caller;
        let resource = Resource { namespace: Some(namespace), kind: KIND, name: None };
        let decide = |action| self.policy.decide(&principal.name, &principal.groups, action, &resource);
        let decision = decide(action);
        if decision.allowed {
            Ok(())
        } else if decide(Action::List).allowed {
            Err(FeastError::Denied(decision.why().to_owned()))
        } else {
            Err(missing.into())
        }
    }

    /// Whether what a view holds may be read for the purpose. What may not even be got is not there.
    pub fn check_view(&self, caller: &Caller, view: &SelectedView, purpose: Option<&str>) -> Result<(), FeastError> {
        let Caller { principal, namespace } = caller;
        let resource = Resource { namespace: Some(namespace), kind: KIND, name: Some(&view.name) };
        let ask = |action| {
            let question = Question::new(&principal.name, &principal.groups, action, resource).tagged(&view.tags);
            self.policy.ask(&question.within(Context { purpose, site: None }))
        };
        let decision = ask(Action::ReadData);
        if decision.allowed {
            Ok(())
        } else if ask(Action::Get).allowed {
            Err(FeastError::Denied(decision.why().to_owned()))
        } else {
            Err(StoreError::NoView(view.name.clone()).into())
        }
    }
}

/// What the data is asked for.
pub(crate) fn purpose(headers: &HeaderMap) -> Option<&str> {
    headers.get(PURPOSE_HEADER).and_then(|value| value.to_str().ok()).filter(|purpose| !purpose.is_empty())
}

fn namespace(headers: &HeaderMap, principal: &Principal) -> String {
    let header = headers.get(NAMESPACE_HEADER).and_then(|value| value.to_str().ok()).filter(|name| !name.is_empty());
    let own = ["workload:", "serviceaccount:"].iter().find_map(|kind| principal.name.strip_prefix(kind));
    let own = own.and_then(|name| name.split_once('/')).map(|(namespace, _)| namespace);
    header.or(own).unwrap_or("default").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_then_own_namespace_then_default() {
        let mut headers = HeaderMap::new();
        assert_eq!(namespace(&headers, &Principal::new("user:ana")), "default");
        assert_eq!(namespace(&headers, &Principal::new("workload:flights/replay")), "flights");
        assert_eq!(namespace(&headers, &Principal::new("serviceaccount:flights/robot")), "flights");
        headers.insert(NAMESPACE_HEADER, "rides".parse().unwrap());
        assert_eq!(namespace(&headers, &Principal::new("workload:flights/replay")), "rides");
    }
}
