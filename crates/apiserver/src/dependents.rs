//! Garbage collection, done at once in the deletion's transaction, by the rules of Kubernetes' collector
//! (<https://kubernetes.io/docs/concepts/architecture/garbage-collection/>).

use bedplate_db::Tx;
use serde_json::Value;

use crate::collect::{self, delete, remove};
use crate::error::ApiError;
use crate::key::Key;
use crate::meta;
use crate::propagation::{FOREGROUND, Propagation};
use crate::store::{self, By, Event};

/// Whether any dependent of `uid` blocks its owner's deletion.
pub fn block(tx: &mut dyn Tx, uid: &str) -> Result<bool, ApiError> {
    Ok(!blocking(tx, uid)?.is_empty())
}

fn blocking(tx: &mut dyn Tx, uid: &str) -> Result<Vec<Key>, ApiError> {
    let mut found = Vec::new();
    for key in store::dependents(tx, uid)? {
        if store::get(tx, &key)?.is_some_and(|object| blocks(&object, uid)) {
            found.push(key);
        }
    }
    Ok(found)
}

fn blocks(object: &Value, uid: &str) -> bool {
    references(object).any(|owner| owner["uid"] == uid && owner["blockOwnerDeletion"] == true)
}

fn references(object: &Value) -> impl Iterator<Item = &Value> {
    object["metadata"]["ownerReferences"].as_array().into_iter().flatten()
}

/// Makes the dependents of `owner` forget it.
pub fn orphan(tx: &mut dyn Tx, key: &Key, owner: &Value, by: &By) -> Result<(), ApiError> {
    let uid = meta::uid(owner);
    let because = By { action: "patch", ..because(by, key) };
    for dependent in store::dependents(tx, uid)? {
        if let Some(object) = store::get(tx, &dependent)? {
            forget_owners(tx, &dependent, object, &[uid], &because)?;
        }
    }
    Ok(())
}

/// After the owner went: a dependent goes when it has no other owner, else it forgets this one.
pub fn delete_orphaned(tx: &mut dyn Tx, owner: &Key, uid: &str, by: &By) -> Result<(), ApiError> {
    let because = because(by, owner);
    for key in store::dependents(tx, uid)? {
        collect(tx, &key, &because)?;
    }
    Ok(())
}

/// While the owner waits: the dependents that it waits for go first.
pub fn delete_blocking(tx: &mut dyn Tx, owner: &Key, uid: &str, by: &By) -> Result<(), ApiError> {
    let because = because(by, owner);
    for key in blocking(tx, uid)? {
        collect(tx, &key, &because)?;
    }
    release(tx, uid, by)
}

/// Owners of an object, told apart by what they are to it.
#[derive(Default)]
struct Owners {
    /// There, and not waiting for their dependents.
    solid: bool,
    /// Gone, or waiting for their dependents.
    leaving: Vec<String>,
    waiting: bool,
}

fn owners(tx: &mut dyn Tx, object: &Value) -> Result<Owners, ApiError> {
    let mut owners = Owners::default();
    for uid in meta::owners(object) {
        match store::by_uid(tx, uid)? {
            Some((_, owner)) if !waits_for_dependents(&owner) => owners.solid = true,
            found => {
                owners.waiting |= found.is_some();
                owners.leaving.push(uid.to_owned());
            }
        }
    }
    Ok(owners)
}

fn waits_for_dependents(object: &Value) -> bool {
    meta::is_terminating(object) && meta::finalizers(object).contains(&FOREGROUND)
}

/// Does with a dependent what its owners call for.
fn collect(tx: &mut dyn Tx, key: &Key, by: &By) -> Result<(), ApiError> {
    let Some(mut object) = store::get(tx, key)? else { return Ok(()) };
    let owners = owners(tx, &object)?;
    if owners.solid {
        let leaving: Vec<&str> = owners.leaving.iter().map(String::as_str).collect();
        return forget_owners(tx, key, object, &leaving, &By { action: "patch", ..by.clone() });
    }
    // It is on its way already; looking again would go round for ever where owners own each other.
    if waits_for_dependents(&object) {
        return Ok(());
    }
    let mut how = Propagation::of(&object);
    if owners.waiting && !store::dependents(tx, meta::uid(&object))?.is_empty() {
        how = Propagation::Foreground;
        if owned_in_a_circle(tx, &object)? {
            object = unblock_owners(tx, key, object, by)?;
            if store::get(tx, key)?.is_none() {
                return Ok(());
            }
        }
    }
    delete(tx, key, object, how, by).map(drop)
}

/// Whether a dependent of the object waits for dependents itself: the object may be one of them.
fn owned_in_a_circle(tx: &mut dyn Tx, object: &Value) -> Result<bool, ApiError> {
    for key in store::dependents(tx, meta::uid(object))? {
        if store::get(tx, &key)?.is_some_and(|dependent| waits_for_dependents(&dependent)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn unblock_owners(tx: &mut dyn Tx, key: &Key, object: Value, by: &By) -> Result<Value, ApiError> {
    let mut unblocked = object.clone();
    for owner in unblocked["metadata"]["ownerReferences"].as_array_mut().into_iter().flatten() {
        owner["blockOwnerDeletion"] = false.into();
    }
    if unblocked != object {
        let by = By { action: "patch", ..by.clone() };
        store::commit(tx, key, Event::Modified, Some(&object), &mut unblocked, &by)?;
        release_owners(tx, &object, &by)?;
    }
    Ok(unblocked)
}

fn forget_owners(tx: &mut dyn Tx, key: &Key, object: Value, uids: &[&str], by: &By) -> Result<(), ApiError> {
    let mut orphan = object.clone();
    if let Some(owners) = orphan["metadata"]["ownerReferences"].as_array_mut() {
        owners.retain(|owner| owner["uid"].as_str().is_none_or(|uid| !uids.contains(&uid)));
        if owners.is_empty() {
            meta::of_mut(&mut orphan).remove("ownerReferences");
        }
    }
    if orphan != object {
        store::commit(tx, key, Event::Modified, Some(&object), &mut orphan, by)?;
        release_owners(tx, &object, by)?;
    }
    Ok(())
}

/// Lets the owners go that waited for this object and for nothing else; `object` is as it was before it went or changed.
pub fn release_owners(tx: &mut dyn Tx, object: &Value, by: &By) -> Result<(), ApiError> {
    for uid in meta::owners(object) {
        release(tx, uid, by)?;
    }
    Ok(())
}

fn release(tx: &mut dyn Tx, uid: &str, by: &By) -> Result<(), ApiError> {
    let Some((key, owner)) = store::by_uid(tx, uid)?.filter(|(_, owner)| waits_for_dependents(owner)) else {
        return Ok(());
    };
    if block(tx, uid)? {
        return Ok(());
    }
    let mut released = owner.clone();
    collect::set_finalizer(&mut released, FOREGROUND, false);
    let by = By { action: "delete", subresource: None, ..by.clone() };
    let empty_namespace = key.resource != "namespaces" || store::is_empty(tx, &key.name)?;
    if meta::finalizers(&released).is_empty() && empty_namespace {
        remove(tx, &key, released, &by)?;
    } else {
        store::commit(tx, &key, Event::Modified, Some(&owner), &mut released, &by)?;
    }
    Ok(())
}

/// The account of what follows from the deletion of `key`.
pub fn because(by: &By, key: &Key) -> By {
    By { action: "delete", subresource: None, because: Some(format!("{key} was deleted")), ..by.clone() }
}
