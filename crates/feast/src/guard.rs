//! Who calls, in which namespace, and whether they may.

use axum::http::{HeaderMap, header};
use bedplate_identity::{Authenticator, IdentityError, Principal};
use bedplate_policy::{Action, Context, Policy, Question, Resource, Tags};

use crate::error::FeastError;
use crate::{NamedView, SelectedView, StoreError};

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
        Ok(self.caller(headers, self.principal(headers)?, None))
    }

    pub fn principal(&self, headers: &HeaderMap) -> Result<Principal, IdentityError> {
        let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        self.authenticator.authenticate(authorization)
    }

    /// `project` is Feast's, where a call tells it: it stands in place of `default`.
    pub fn caller(&self, headers: &HeaderMap, principal: Principal, project: Option<&str>) -> Caller {
        let namespace = namespace(headers, &principal, project);
        Caller { principal, namespace }
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
        self.check_one(caller, Action::ReadData, &view.name, &view.tags, purpose)
    }

    /// Whether rows may be brought into the view.
    pub fn check_push(&self, caller: &Caller, view: &NamedView, purpose: Option<&str>) -> Result<(), FeastError> {
        self.check_one(caller, Action::Push, &view.name, &view.tags, purpose)
    }

    fn check_one(
        &self,
        caller: &Caller,
        action: Action,
        view: &str,
        tags: &Tags,
        purpose: Option<&str>,
    ) -> Result<(), FeastError> {
        let Caller { principal, namespace } = caller;
        let resource = Resource { namespace: Some(namespace), kind: KIND, name: Some(view) };
        let ask = |action| {
            let question = Question::new(&principal.name, &principal.groups, action, resource).tagged(tags);
            self.policy.ask(&question.within(Context { purpose, site: None }))
        };
        let decision = ask(action);
        if decision.allowed {
            Ok(())
        } else if ask(Action::Get).allowed {
            Err(FeastError::Denied(decision.why().to_owned()))
        } else {
            Err(StoreError::NoView(view.to_owned()).into())
        }
    }
}

/// What the data is asked for.
pub(crate) fn purpose(headers: &HeaderMap) -> Option<&str> {
    headers.get(PURPOSE_HEADER).and_then(|value| value.to_str().ok()).filter(|purpose| !purpose.is_empty())
}

fn namespace(headers: &HeaderMap, principal: &Principal, project: Option<&str>) -> String {
    let header = headers.get(NAMESPACE_HEADER).and_then(|value| value.to_str().ok()).filter(|name| !name.is_empty());
    let own = ["workload:", "serviceaccount:"].iter().find_map(|kind| principal.name.strip_prefix(kind));
    let own = own.and_then(|name| name.split_once('/')).map(|(namespace, _)| namespace);
    // Feast's names may have underscores, a namespace's may not.
    header.or(own).map(str::to_owned).or(project.map(|project| project.replace('_', "-"))).unwrap_or("default".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_then_own_namespace_then_project_then_default() {
        let mut headers = HeaderMap::new();
        let check = |headers: &HeaderMap, name: &str, project: Option<&str>, expect: &str| {
            assert_eq!(namespace(headers, &Principal::new(name), project), expect, "{name} {project:?}");
        };
        check(&headers, "user:ana", None, "default");
        check(&headers, "user:ana", Some("night_rides"), "night-rides");
        check(&headers, "workload:flights/replay", None, "flights");
        check(&headers, "serviceaccount:flights/robot", Some("rides"), "flights");
        headers.insert(NAMESPACE_HEADER, "rides".parse().unwrap());
        check(&headers, "workload:flights/replay", Some("flights"), "rides");
    }
}
