//! Leases, by which replicas agree on one of them: who holds one is asked inside a transaction, and a renewal is no news.

use bedplate_db::Tx;
use serde_json::Value;

use crate::error::ApiError;
use crate::key::Key;
use crate::store;

/// How the store calls coordination.k8s.io/v1 Lease.
pub const RESOURCE: &str = "leases.coordination.k8s.io";

/// Whether `holder` still holds the lease it took as the `transitions`th. That is so until the end of the transaction: who
/// takes a lease changes both in a transaction of its own.
///
/// # Errors
/// When the lease cannot be read.
pub fn is_held(tx: &mut dyn Tx, namespace: &str, name: &str, holder: &str, transitions: i64) -> Result<bool, ApiError> {
    let found = store::get(tx, &Key::new(RESOURCE, Some(namespace), name))?;
    Ok(found.is_some_and(|lease| {
        let spec = &lease["spec"];
        spec["holderIdentity"] == holder && spec["leaseTransitions"].as_i64().unwrap_or_default() == transitions
    }))
}

/// Whether nothing but the moment of renewal is new. The audit log has who took a lease and who let go of it; a leaf
/// every second that says it again would bury what happened.
pub fn is_renewal(key: &Key, before: Option<&Value>, object: &Value) -> bool {
    let Some(before) = before.filter(|_| key.resource == RESOURCE) else { return false };
    lasting(before) == lasting(object)
}

fn lasting(lease: &Value) -> Value {
    let mut lease = lease.clone();
    if let Some(spec) = lease["spec"].as_object_mut() {
        spec.remove("renewTime");
    }
    if let Some(metadata) = lease["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
        metadata.remove("managedFields");
    }
    lease
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_new_moment_is_a_renewal() {
        let key = Key::new(RESOURCE, Some("bedplate-system"), "controllers");
        let lease = |holder: &str, at: &str, version: &str| {
            json!({ "metadata": { "name": "controllers", "resourceVersion": version },
                    "spec": { "holderIdentity": holder, "leaseTransitions": 1, "renewTime": at } })
        };
        let held = lease("a", "1", "7");
        assert!(is_renewal(&key, Some(&held), &lease("a", "2", "8")));
        assert!(!is_renewal(&key, Some(&held), &lease("b", "2", "8")));
        assert!(!is_renewal(&key, None, &held));
        let labelled = json!({ "metadata": { "name": "controllers", "labels": { "a": "b" } }, "spec": held["spec"] });
        assert!(!is_renewal(&key, Some(&held), &labelled));
        assert!(!is_renewal(&Key::new("secrets", Some("x"), "controllers"), Some(&held), &held));
    }
}
