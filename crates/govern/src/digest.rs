//! The digest of one exact change: what an approval is bound to.

use bedplate_kinds::ChangeOperation;
use bedplate_types::Digest;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::diff::desired;

/// Which object is changed, and how.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub kind: &'a str,
    pub namespace: Option<&'a str>,
    pub name: &'a str,
    pub operation: ChangeOperation,
}

/// SHA-256 over the canonical JSON of subject, wish before and wish after. A Secret's is keyed: short secrets could be guessed
/// from one that is not.
#[must_use]
pub fn digest_of(subject: Subject<'_>, old: &Value, new: &Value, secrets_key: &[u8; 32]) -> Digest {
    let told = json!({
        "kind": subject.kind, "namespace": subject.namespace, "name": subject.name,
        "operation": subject.operation.as_str(), "before": desired(old), "after": desired(new),
    });
    let mut hash = Sha256::new();
    if subject.kind == "Secret" {
        hash.update(secrets_key);
    }
    hash.update(canonical(&told));
    Digest::from_sha256(hash.finalize().into())
}

/// One spelling for each value: no spaces, members sorted.
#[must_use]
pub fn canonical(value: &Value) -> String {
    sorted(value).to_string()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            Value::Object(fields.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect::<Map<_, _>>())
        }
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [1; 32];

    fn digest(kind: &str, old: &Value, new: &Value, key: &[u8; 32]) -> Digest {
        digest_of(Subject { kind, namespace: Some("n"), name: "x", operation: ChangeOperation::Update }, old, new, key)
    }

    #[test]
    fn only_the_wish_counts_and_the_order_of_fields_does_not() {
        let (old, new) = (json!({"spec": {"a": 1}}), json!({"spec": {"a": 2, "b": 1}, "status": {"x": 1}}));
        let first = digest("Dataset", &old, &new, &KEY);
        assert_eq!(first, digest("Dataset", &old, &json!({"spec": {"b": 1, "a": 2}}), &[9; 32]));
        assert_ne!(first, digest("Dataset", &old, &json!({"spec": {"b": 1, "a": 3}}), &KEY));
        assert_ne!(first, digest("Dataset", &json!({"spec": {"a": 9}}), &new, &KEY), "from another state");
        assert_ne!(first, digest("Endpoint", &old, &new, &KEY));
    }

    #[test]
    fn a_secrets_digest_needs_the_key() {
        let (old, new) = (Value::Null, json!({"data": {"pin": "MTIzNA=="}}));
        assert_ne!(digest("Secret", &old, &new, &KEY), digest("Secret", &old, &new, &[2; 32]));
    }
}
