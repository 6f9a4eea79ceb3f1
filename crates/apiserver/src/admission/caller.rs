//! Who asks, in bedplate's words.

use bedplate_identity::Principal;
use serde::Deserialize;

/// As the cluster's API server authenticated them.
#[derive(Debug, Deserialize)]
pub struct UserInfo {
    pub username: String,
    #[serde(default)]
    pub groups: Vec<String>,
}

/// Whom the cluster itself runs, and who administers it.
#[derive(Clone, Debug, Default)]
pub struct Trusted {
    /// How the cluster calls this operator: it is `system:controllers` here.
    pub own: String,
    /// Groups whose members administer the platform, as those of `system:masters` do.
    pub administrators: Vec<String>,
}

/// The cluster's own controllers: they collect garbage and empty namespaces that are being deleted.
const MACHINERY: [&str; 2] = ["system:serviceaccounts:kube-system", "system:kube-controller-manager"];
const CONTROLLERS: &str = "system:controllers";
const MASTERS: &str = "system:masters";
const ACCOUNT: &str = "system:serviceaccount:";

impl Trusted {
    /// `ana` is `user:ana`, `system:serviceaccount:ns:name` is `serviceaccount:ns/name`; groups are kept.
    pub fn principal(&self, user: &UserInfo) -> Principal {
        if !self.own.is_empty() && user.username == self.own {
            return Principal::new(CONTROLLERS);
        }
        let mut groups = user.groups.clone();
        let machinery = MACHINERY.contains(&user.username.as_str())
            || user.groups.iter().any(|group| MACHINERY.contains(&group.as_str()));
        if machinery || user.groups.iter().any(|group| self.administrators.contains(group)) {
            groups.push(MASTERS.to_owned());
        }
        Principal { name: name(&user.username), groups }
    }
}

fn name(username: &str) -> String {
    match username.strip_prefix(ACCOUNT).and_then(|account| account.split_once(':')) {
        Some((namespace, name)) => format!("serviceaccount:{namespace}/{name}"),
        None => format!("user:{username}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(username: &str, groups: &[&str]) -> Principal {
        let trusted = Trusted {
            own: "system:serviceaccount:bedplate-system:bedplate".into(),
            administrators: vec!["platform".into()],
        };
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        trusted.principal(&UserInfo { username: username.into(), groups })
    }

    #[test]
    fn callers_are_spelled_as_identity_spells_them() {
        assert_eq!(of("ana", &["data"]), Principal { name: "user:ana".into(), groups: vec!["data".into()] });
        assert_eq!(of("system:serviceaccount:flights:robot", &[]).name, "serviceaccount:flights/robot");
        assert_eq!(of("system:serviceaccount:bedplate-system:bedplate", &["x"]), Principal::new("system:controllers"));
        assert_eq!(of("system:controllers", &[]).name, "user:system:controllers", "nobody else is taken for it");
    }

    #[test]
    fn administrators_and_the_clusters_own_controllers_are_masters() {
        for (name, groups) in [
            ("eve", &["platform"][..]),
            ("system:serviceaccount:kube-system:namespace-controller", &["system:serviceaccounts:kube-system"]),
            ("system:kube-controller-manager", &[]),
        ] {
            assert!(of(name, groups).groups.iter().any(|group| group == "system:masters"), "{name}");
        }
        assert!(!of("eve", &["other"]).groups.iter().any(|group| group == "system:masters"));
    }
}
