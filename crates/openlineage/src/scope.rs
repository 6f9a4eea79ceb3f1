//! Which of bedplate's namespaces a namespace of OpenLineage is.

/// What is written down for a namespace that is none of bedplate's.
pub(crate) const PLATFORM: &str = "*";

/// The namespace whose grants count: the name itself when it is an RFC 1123 label, as a Namespace's name is, else `*`.
pub(crate) fn scope(namespace: &str) -> &str {
    if is_label(namespace) { namespace } else { PLATFORM }
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_could_be_a_namespace_is_one() {
        for own in ["flights", "a", "team-7", &"a".repeat(63)] {
            assert_eq!(scope(own), own);
        }
        for other in ["s3://bucket", "Flights", "a.b", "-a", "a-", "a_b", "*", "é", &"a".repeat(64)] {
            assert_eq!(scope(other), PLATFORM, "{other}");
        }
    }
}
