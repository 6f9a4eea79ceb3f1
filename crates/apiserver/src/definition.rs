//! CustomResourceDefinitions: how clients are told of bedplate's kinds. They are stored like every object, so that lists,
//! tables and watches work alike, and only the server writes them, when it opens.

use bedplate_db::Tx;
use bedplate_kinds::registry::{Kind, kinds};
use bedplate_types::Timestamp;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::key::Key;
use crate::meta;
use crate::store::{self, By, Event};

pub const GROUP: &str = "apiextensions.k8s.io";
const RESOURCE: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// Every definition as it is to be, new: with a uid and the time.
pub fn all(now: Timestamp, random: impl Fn() -> [u8; 16]) -> Result<Vec<Value>, ApiError> {
    kinds().iter().map(|kind| object_of(kind, now, random())).collect()
}

fn object_of(kind: &Kind, now: Timestamp, random: [u8; 16]) -> Result<Value, ApiError> {
    let mut object = serde_json::to_value(&kind.definition).map_err(|error| ApiError::Internal(error.to_string()))?;
    let now = meta::seconds(now);
    meta::set(&mut object, "uid", uuid::Builder::from_random_bytes(random).into_uuid().to_string());
    meta::set(&mut object, "creationTimestamp", now.as_str());
    meta::set(&mut object, "generation", 1);
    object["spec"]["conversion"] = json!({ "strategy": "None" });
    let condition = |type_: &str, reason: &str, message: &str| json!({ "type": type_, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now });
    object["status"] = json!({
        "acceptedNames": object["spec"]["names"],
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the kind is built into bedplate"),
        ],
        "storedVersions": [object["spec"]["versions"][0]["name"]],
    });
    Ok(object)
}

/// Brings what is stored to `definitions`: this binary's may be others than those of the one before it.
pub fn publish(tx: &mut dyn Tx, definitions: &[Value], by: &By) -> Result<(), ApiError> {
    let stored = store::page(tx, RESOURCE, None, ("", ""), i64::MAX)?;
    for definition in definitions {
        let before = stored.iter().find(|one| meta::name(one) == meta::name(definition));
        put(tx, before, definition.clone(), by)?;
    }
    for mut gone in stored {
        if !definitions.iter().any(|one| meta::name(one) == meta::name(&gone)) {
            let (key, before) = (key_of(&gone), gone.clone());
            store::commit(tx, &key, Event::Deleted, Some(&before), &mut gone, &By { action: "delete", ..by.clone() })?;
        }
    }
    Ok(())
}

fn put(tx: &mut dyn Tx, before: Option<&Value>, mut definition: Value, by: &By) -> Result<(), ApiError> {
    let key = key_of(&definition);
    let Some(before) = before else {
        store::commit(tx, &key, Event::Added, None, &mut definition, &By { action: "create", ..by.clone() })?;
        return Ok(());
    };
    if before["spec"] == definition["spec"] {
        return Ok(());
    }
    meta::keep(&mut definition, before, "uid");
    meta::keep(&mut definition, before, "creationTimestamp");
    meta::set(&mut definition, "generation", before["metadata"]["generation"].as_i64().unwrap_or(0) + 1);
    store::commit(tx, &key, Event::Modified, Some(before), &mut definition, &By { action: "update", ..by.clone() })?;
    Ok(())
}

fn key_of(definition: &Value) -> Key {
    Key::new(RESOURCE, None, meta::name(definition))
}
