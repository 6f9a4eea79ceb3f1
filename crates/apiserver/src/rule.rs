//! What is particular about Policies: they are held against the schema before they are stored, and count in the transaction
//! that stores them.

use bedplate_db::Tx;
use bedplate_policy::Source;
use serde_json::Value;

use crate::error::{ApiError, Cause};
use crate::key::Key;
use crate::meta;
use crate::store::Event;

/// The name they are stored under.
pub const RESOURCE: &str = "policies.bedplate.dev";
pub const KIND: &str = "Policy";

/// Everything that is wrong with its text, each with the place.
pub fn causes(policy: &Value) -> Vec<Cause> {
    let flaws = source(meta::text(policy, "namespace").unwrap_or_default(), meta::name(policy), policy).flaws();
    match flaws {
        Ok(flaws) => flaws.iter().map(|flaw| Cause::invalid("spec.cedar", flaw.to_string())).collect(),
        Err(error) => vec![Cause::invalid("spec.cedar", error.to_string())],
    }
}

/// Brings the rules to what the policy says now.
pub fn take_effect(tx: &mut dyn Tx, key: &Key, event: Event, policy: &Value) -> Result<(), ApiError> {
    let done = match event {
        Event::Deleted => bedplate_policy::retract(tx, &key.namespace, &key.name),
        Event::Added | Event::Modified => bedplate_policy::declare(tx, &source(&key.namespace, &key.name, policy)),
    };
    done.map_err(|error| ApiError::Internal(error.to_string()))
}

fn source(namespace: &str, name: &str, policy: &Value) -> Source {
    let cedar = policy["spec"]["cedar"].as_str().unwrap_or_default().to_owned();
    Source { namespace: namespace.to_owned(), name: name.to_owned(), cedar }
}
