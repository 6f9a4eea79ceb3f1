//! Names as RFC 1123 and Kubernetes have them.

/// Why `name` may not name an object of most resources: dot-separated labels, 253 characters together.
pub fn subdomain_error(name: &str) -> Option<String> {
    let sound = name.len() <= 253 && name.split('.').all(is_label);
    (!sound).then(|| {
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end \
         with an alphanumeric character (e.g. 'example.com'); at most 253 characters"
            .to_owned()
    })
}

/// Why `name` may not name a namespace: one label of at most 63 characters.
pub fn label_error(name: &str) -> Option<String> {
    let sound = name.len() <= 63 && is_label(name);
    (!sound).then(|| {
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an \
         alphanumeric character (e.g. 'my-name'); at most 63 characters"
            .to_owned()
    })
}

/// Why `value` may not be the value of a label.
pub fn label_value_error(value: &str) -> Option<String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let sound = value.is_empty()
        || (value.len() <= 63
            && value.chars().all(inner)
            && edge(value.chars().next())
            && edge(value.chars().next_back()));
    (!sound).then(|| {
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end \
         with an alphanumeric character; at most 63 characters"
            .to_owned()
    })
}

fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// Five characters for `generateName`, out of the alphabet Kubernetes uses (no vowels, so no words).
pub fn suffix(random: [u8; 16]) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    random[..5].iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_and_refuses_as_kubernetes_does() {
        for good in ["a", "a-b", "a.b-c.9"] {
            assert_eq!(subdomain_error(good), None, "{good}");
        }
        for bad in ["", "A", "a_b", "-a", "a-", "a..b", "a/b", &"a".repeat(254)] {
            assert!(subdomain_error(bad).is_some(), "{bad}");
        }
        assert!(label_error("a.b").is_some());
        assert!(label_value_error("-a").is_some() && label_value_error("A_b.c").is_none());
    }
}
