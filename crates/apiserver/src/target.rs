//! What a path under `/api/v1` or `/apis/GROUP/VERSION` points at.

/// The parts of a resource path, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub namespace: Option<String>,
    pub plural: String,
    pub name: Option<String>,
    pub subresource: Option<String>,
}

impl Target {
    /// Reads what follows the group and version. `namespaces/x` is the namespace itself; `namespaces/x/y` lies inside it.
    pub fn parse(rest: &str) -> Option<Self> {
        let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            ["namespaces", name, "status"] => Some(Self::new(None, "namespaces", &[name, "status"])),
            ["namespaces", namespace, plural, inside @ ..] if inside.len() <= 2 => {
                Some(Self::new(Some(namespace), plural, inside))
            }
            [plural, inside @ ..] if inside.len() <= 2 => Some(Self::new(None, plural, inside)),
            _ => None,
        }
    }

    fn new(namespace: Option<&str>, plural: &str, inside: &[&str]) -> Self {
        let part = |i: usize| inside.get(i).map(|part| (*part).to_owned());
        Self { namespace: namespace.map(str::to_owned), plural: plural.to_owned(), name: part(0), subresource: part(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Namespace, plural, name, subresource.
    type Parts<'a> = (Option<&'a str>, &'a str, Option<&'a str>, Option<&'a str>);

    fn check(rest: &str, expected: Option<Parts<'_>>) {
        let parsed = Target::parse(rest);
        let parts = parsed
            .as_ref()
            .map(|t| (t.namespace.as_deref(), t.plural.as_str(), t.name.as_deref(), t.subresource.as_deref()));
        assert_eq!(parts, expected, "{rest}");
    }

    #[test]
    fn tells_namespaces_from_what_lies_in_them() {
        check("namespaces", Some((None, "namespaces", None, None)));
        check("namespaces/a", Some((None, "namespaces", Some("a"), None)));
        check("namespaces/a/status", Some((None, "namespaces", Some("a"), Some("status"))));
        check("namespaces/a/secrets", Some((Some("a"), "secrets", None, None)));
        check("namespaces/a/datasets/d/status", Some((Some("a"), "datasets", Some("d"), Some("status"))));
        check("datasets", Some((None, "datasets", None, None)));
        check("a/b/c/d", None);
        check("", None);
    }
}
