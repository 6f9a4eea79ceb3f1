//! How principals are spelled, and what they are to the rules.

/// The types of principals in the schema, as identity spells them.
pub(crate) const TYPES: [(&str, &str); 5] = [
    ("user", "User"),
    ("serviceaccount", "ServiceAccount"),
    ("workload", "Workload"),
    ("device", "Device"),
    ("system", "System"),
];

/// A group of principals.
pub(crate) const TEAM: &str = "Team";

/// The types whose principals are at home in a namespace, and say so: `workload:flights/replay`.
pub(crate) const HOUSED: [&str; 3] = ["ServiceAccount", "Workload", "Device"];

/// A principal's type in the schema and its id there: `user:ana` is `User::"ana"`.
pub(crate) fn typed(principal: &str) -> Option<(&'static str, &str)> {
    let (prefix, id) = principal.split_once(':')?;
    let (_, of) = TYPES.iter().find(|(spelled, _)| *spelled == prefix)?;
    (!id.is_empty()).then_some((*of, id))
}

/// The namespace a principal is at home in.
pub(crate) fn home<'a>(of: &str, id: &'a str) -> Option<&'a str> {
    let (namespace, _) = id.split_once('/')?;
    HOUSED.contains(&of).then_some(namespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_of_the_type_its_prefix_says() {
        assert_eq!(typed("user:ana"), Some(("User", "ana")));
        assert_eq!(typed("user:a:b"), Some(("User", "a:b")));
        assert_eq!(typed("workload:flights/replay-1"), Some(("Workload", "flights/replay-1")));
        assert_eq!(typed("system:controllers"), Some(("System", "controllers")));
        for unknown in ["ana", "group:data", "user:", "", "User:ana"] {
            assert_eq!(typed(unknown), None, "{unknown}");
        }
        assert_eq!(home("Workload", "flights/replay"), Some("flights"));
        assert_eq!((home("User", "a/b"), home("Device", "lone")), (None, None));
    }
}
