//! Deletion and what follows from it, all in one transaction: finalizers, dependents, the contents of a namespace.

use bedplate_db::Tx;
use serde_json::Value;

use crate::error::ApiError;
use crate::key::Key;
use crate::meta;
use crate::store::{self, By, Event};

/// What became of an object that was to be deleted.
pub enum Outcome {
    Gone(Value),
    /// It waits for its finalizers, or a namespace for its contents.
    Waiting(Value),
}

/// Deletes the stored `object`, or marks it when something still holds it.
pub fn delete(tx: &mut dyn Tx, key: &Key, object: Value, by: &By) -> Result<Outcome, ApiError> {
    if key.resource == "namespaces" && !store::is_empty(tx, &key.name)? {
        return delete_namespace(tx, key, object, by);
    }
    if meta::finalizers(&object).is_empty() {
        return remove(tx, key, object, by).map(Outcome::Gone);
    }
    mark(tx, key, object, by).map(Outcome::Waiting)
}

/// Removes the stored `object` whatever holds it; returns it as it was last seen.
pub fn remove(tx: &mut dyn Tx, key: &Key, mut object: Value, by: &By) -> Result<Value, ApiError> {
    let before = object.clone();
    store::commit(tx, key, Event::Deleted, Some(&before), &mut object, by)?;
    collect_dependents(tx, key, meta::uid(&object), by)?;
    finish_namespace(tx, &key.namespace, by)?;
    Ok(object)
}

/// Sets the deletion timestamp; once is enough.
fn mark(tx: &mut dyn Tx, key: &Key, object: Value, by: &By) -> Result<Value, ApiError> {
    if meta::is_terminating(&object) {
        return Ok(object);
    }
    let mut marked = object.clone();
    meta::set(&mut marked, "deletionTimestamp", meta::seconds(by.at));
    meta::set(&mut marked, "deletionGracePeriodSeconds", 0);
    if let Some(generation) = object["metadata"]["generation"].as_i64() {
        meta::set(&mut marked, "generation", generation + 1);
    }
    if key.resource == "namespaces" {
        marked["status"]["phase"] = "Terminating".into();
    }
    store::commit(tx, key, Event::Modified, Some(&object), &mut marked, by)?;
    Ok(marked)
}

fn delete_namespace(tx: &mut dyn Tx, key: &Key, object: Value, by: &By) -> Result<Outcome, ApiError> {
    let marked = mark(tx, key, object, by)?;
    let because = because(by, key);
    for inside in store::keys_in(tx, &key.name)? {
        if let Some(object) = store::get(tx, &inside)? {
            delete(tx, &inside, object, &because)?;
        }
    }
    // The last of the contents took the namespace with it, unless a finalizer holds something.
    Ok(match store::get(tx, key)? {
        Some(waiting) => Outcome::Waiting(waiting),
        None => Outcome::Gone(marked),
    })
}

/// Removes a namespace that was only waiting for its contents to go.
pub fn finish_namespace(tx: &mut dyn Tx, namespace: &str, by: &By) -> Result<(), ApiError> {
    if namespace.is_empty() {
        return Ok(());
    }
    let key = Key::new("namespaces", None, namespace);
    let Some(object) = store::get(tx, &key)?.filter(meta::is_terminating) else { return Ok(()) };
    if meta::finalizers(&object).is_empty() && store::is_empty(tx, namespace)? {
        remove(tx, &key, object, by)?;
    }
    Ok(())
}

/// Background garbage collection, done at once: a dependent goes when its last owner went, else it forgets this one.
fn collect_dependents(tx: &mut dyn Tx, owner: &Key, uid: &str, by: &By) -> Result<(), ApiError> {
    let because = because(by, owner);
    for key in store::dependents(tx, uid)? {
        let Some(object) = store::get(tx, &key)? else { continue };
        if has_other_owner(tx, &object, uid)? {
            forget_owner(tx, &key, object, uid, &because)?;
        } else {
            delete(tx, &key, object, &because)?;
        }
    }
    Ok(())
}

fn has_other_owner(tx: &mut dyn Tx, object: &Value, gone: &str) -> Result<bool, ApiError> {
    for uid in meta::owners(object) {
        if uid != gone && store::uid_exists(tx, uid)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn forget_owner(tx: &mut dyn Tx, key: &Key, object: Value, uid: &str, by: &By) -> Result<(), ApiError> {
    let mut orphan = object.clone();
    if let Some(owners) = orphan["metadata"]["ownerReferences"].as_array_mut() {
        owners.retain(|owner| owner["uid"] != uid);
    }
    store::commit(tx, key, Event::Modified, Some(&object), &mut orphan, by)?;
    Ok(())
}

fn because(by: &By, key: &Key) -> By {
    By { action: "delete", subresource: None, because: Some(format!("{key} was deleted")), ..by.clone() }
}
