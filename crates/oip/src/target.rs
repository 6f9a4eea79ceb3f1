//! Which endpoint a request means.

use std::fmt;

use axum::http::HeaderMap;
use bedplate_identity::Principal;

pub(crate) const NAMESPACE_HEADER: &str = "x-bedplate-namespace";

/// An endpoint, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub namespace: String,
    pub endpoint: String,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.endpoint)
    }
}

/// The rules are told in the crate's story.
pub(crate) fn resolve(model: &str, headers: &HeaderMap, principal: &Principal) -> Target {
    let header = headers.get(NAMESPACE_HEADER).and_then(|value| value.to_str().ok()).filter(|name| !name.is_empty());
    let (namespace, endpoint) = match (header, model.split_once('.')) {
        (Some(namespace), _) => (namespace, model),
        (None, Some((namespace, endpoint))) if !namespace.is_empty() && !endpoint.is_empty() => (namespace, endpoint),
        (None, _) => (own_namespace(principal), model),
    };
    Target { namespace: namespace.to_owned(), endpoint: endpoint.to_owned() }
}

fn own_namespace(principal: &Principal) -> &str {
    let workload = principal.name.strip_prefix("workload:").and_then(|name| name.split_once('/'));
    workload.map_or("default", |(namespace, _)| namespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(model: &str, header: Option<&'static str>, principal: &str, expect: &str) {
        let mut headers = HeaderMap::new();
        if let Some(namespace) = header {
            headers.insert(NAMESPACE_HEADER, namespace.parse().unwrap());
        }
        assert_eq!(resolve(model, &headers, &Principal::new(principal)).to_string(), expect);
    }

    #[test]
    fn header_then_prefix_then_own_namespace_then_default() {
        check("delay", Some("flights"), "user:ana", "flights/delay");
        check("a.b", Some("flights"), "user:ana", "flights/a.b");
        check("flights.delay", None, "user:ana", "flights/delay");
        check("flights.delay.v2", None, "user:ana", "flights/delay.v2");
        check("delay", None, "workload:flights/replay", "flights/delay");
        check("delay", None, "user:ana", "default/delay");
        check(".delay", None, "user:ana", "default/.delay");
    }
}
