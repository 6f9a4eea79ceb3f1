//! Who calls, in which namespace, and whether they may.

use axum::http::{HeaderMap, header};
use bedplate_identity::{Authenticator, IdentityError, Principal};
use bedplate_policy::{Action, Policy, Resource};

use crate::StoreError;
use crate::error::FeastError;

const NAMESPACE_HEADER: &str = "x-bedplate-namespace";

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
}

fn namespace(headers: &HeaderMap, principal: &Principal) -> String {
    let header = headers.get(NAMESPACE_HEADER).and_then(|value| value.to_str().ok()).filter(|name| !name.is_empty());
    let own =
        principal.name.strip_prefix("workload:").and_then(|name| name.split_once('/')).map(|(namespace, _)| namespace);
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
        headers.insert(NAMESPACE_HEADER, "rides".parse().unwrap());
        assert_eq!(namespace(&headers, &Principal::new("workload:flights/replay")), "rides");
    }
}
