//! Names of machines as certificates carry them (SPIFFE ID, and the X.509-SVID that holds one).

use crate::Principal;

/// What kind of machine it is, as the path says and as principals are called.
const KINDS: [(&str, &str); 3] = [("sa", "serviceaccount"), ("workload", "workload"), ("device", "device")];
/// SPIFFE ID section 2.3.
const LONGEST: usize = 2_048;

/// A URI is the name of no machine here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpiffeId {
    #[error("{0:?} is not spiffe://<trust domain>/ns/<namespace>/sa|workload|device/<name>")]
    Form(String),
    #[error("it is of the trust domain {found:?}, not of {expected}")]
    TrustDomain { found: String, expected: String },
}

/// The principal `spiffe://<trust_domain>/ns/<namespace>/<sa|workload|device>/<name>` is.
///
/// # Errors
/// [`InvalidSpiffeId`].
pub fn principal_of(uri: &str, trust_domain: &str) -> Result<Principal, InvalidSpiffeId> {
    let form = || InvalidSpiffeId::Form(uri.chars().take(200).collect());
    let rest = uri.strip_prefix("spiffe://").filter(|_| uri.len() <= LONGEST).ok_or_else(form)?;
    let [domain, "ns", namespace, kind, name] = rest.split('/').collect::<Vec<_>>()[..] else { return Err(form()) };
    if domain != trust_domain {
        return Err(InvalidSpiffeId::TrustDomain { found: domain.into(), expected: trust_domain.into() });
    }
    let (_, called) = KINDS.iter().find(|(path, _)| *path == kind).ok_or_else(form)?;
    if !(is_segment(namespace) && is_segment(name)) {
        return Err(form());
    }
    let groups = if kind == "workload" { vec![format!("workloads:{namespace}")] } else { Vec::new() };
    Ok(Principal { name: format!("{called}:{namespace}/{name}"), groups })
}

/// The other way round; `None` for principals that are no machines.
#[must_use]
pub fn id_of(principal: &str, trust_domain: &str) -> Option<String> {
    let (called, rest) = principal.split_once(':')?;
    let (namespace, name) = rest.split_once('/')?;
    let (path, _) = KINDS.iter().find(|(_, known)| *known == called)?;
    (is_segment(namespace) && is_segment(name)).then(|| format!("spiffe://{trust_domain}/ns/{namespace}/{path}/{name}"))
}

/// SPIFFE ID section 2.2.
fn is_segment(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text != "." && text != ".." && text.bytes().all(fits)
}

/// Whether it may stand in a SPIFFE ID as its trust domain (section 2.1).
#[must_use]
pub fn is_trust_domain(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    (1..=255).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_one_name_in_both_spellings() {
        for (uri, name) in [
            ("spiffe://x.y/ns/flights/sa/robot", "serviceaccount:flights/robot"),
            ("spiffe://x.y/ns/flights/workload/replay", "workload:flights/replay"),
            ("spiffe://x.y/ns/edge/device/cam-1", "device:edge/cam-1"),
        ] {
            assert_eq!(principal_of(uri, "x.y").unwrap().name, name);
            assert_eq!(id_of(name, "x.y").unwrap(), uri);
        }
        assert_eq!(principal_of("spiffe://x.y/ns/f/workload/r", "x.y").unwrap().groups, ["workloads:f"]);
        assert_eq!(id_of("user:ana", "x.y"), None);
    }

    #[test]
    fn other_domains_and_other_forms_are_nobody() {
        let other = principal_of("spiffe://evil/ns/flights/sa/robot", "x.y");
        assert!(matches!(other, Err(InvalidSpiffeId::TrustDomain { .. })));
        for uri in [
            "https://x.y/ns/flights/sa/robot",
            "spiffe://x.y/ns/flights/sa/",
            "spiffe://x.y/ns/flights/sa/robot/",
            "spiffe://x.y/ns/../sa/robot",
            "spiffe://x.y/ns/flights/user/ana",
            "spiffe://x.y/ns/flights/sa/a%2Fb",
            "spiffe://x.y/flights/robot",
        ] {
            assert!(matches!(principal_of(uri, "x.y"), Err(InvalidSpiffeId::Form(_))), "{uri}");
        }
        assert!(is_trust_domain("bedplate.internal") && !is_trust_domain("A.b") && !is_trust_domain("a/b"));
    }
}
