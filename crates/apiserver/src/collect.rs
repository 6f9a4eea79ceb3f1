//! Deletion and what follows from it, all in one transaction: finalizers, the contents of a namespace, and dependents
//! (in `dependents`).

use bedplate_db::Tx;
use serde_json::Value;

use crate::dependents::{self, because};
use crate::error::ApiError;
use crate::key::Key;
use crate::meta;
use crate::propagation::{FOREGROUND, ORPHAN, Propagation};
use crate::store::{self, By, Event};

/// What became of an object that was to be deleted.
pub enum Outcome {
    Gone(Value),
    /// It waits for its finalizers, or a namespace for its contents.
    Waiting(Value),
}

/// Deletes the stored `object`, or marks it when something still holds it.
pub fn delete(tx: &mut dyn Tx, key: &Key, mut object: Value, how: Propagation, by: &By) -> Result<Outcome, ApiError> {
    if how == Propagation::Orphan {
        dependents::orphan(tx, key, &object, by)?;
    }
    let foreground = how == Propagation::Foreground && dependents::block(tx, meta::uid(&object))?;
    set_finalizer(&mut object, ORPHAN, false);
    set_finalizer(&mut object, FOREGROUND, foreground);
    if key.resource == "namespaces" && !store::is_empty(tx, &key.name)? {
        return delete_namespace(tx, key, object, by);
    }
    if meta::finalizers(&object).is_empty() {
        return remove(tx, key, object, by).map(Outcome::Gone);
    }
    let marked = mark(tx, key, object, by)?;
    if foreground {
        dependents::delete_blocking(tx, key, meta::uid(&marked), by)?;
    }
    // The last of the dependents took the owner with it, unless something holds either.
    Ok(match store::get(tx, key)? {
        Some(waiting) => Outcome::Waiting(waiting),
        None => Outcome::Gone(marked),
    })
}

/// Removes the stored `object` whatever holds it; returns it as it was last seen.
pub fn remove(tx: &mut dyn Tx, key: &Key, mut object: Value, by: &By) -> Result<Value, ApiError> {
    let before = store::get(tx, key)?;
    store::commit(tx, key, Event::Deleted, before.as_ref(), &mut object, by)?;
    dependents::delete_orphaned(tx, key, meta::uid(&object), by)?;
    dependents::release_owners(tx, before.as_ref().unwrap_or(&object), by)?;
    finish_namespace(tx, &key.namespace, by)?;
    Ok(object)
}

/// Sets the deletion timestamp and stores the finalizers `object` carries; what is so already is left alone.
fn mark(tx: &mut dyn Tx, key: &Key, object: Value, by: &By) -> Result<Value, ApiError> {
    let stored = store::get(tx, key)?;
    let mut marked = object;
    if !meta::is_terminating(&marked) {
        meta::set(&mut marked, "deletionTimestamp", meta::seconds(by.at));
        meta::set(&mut marked, "deletionGracePeriodSeconds", 0);
        if let Some(generation) = marked["metadata"]["generation"].as_i64() {
            meta::set(&mut marked, "generation", generation + 1);
        }
        if key.resource == "namespaces" {
            marked["status"]["phase"] = "Terminating".into();
        }
    }
    if stored.as_ref() != Some(&marked) {
        store::commit(tx, key, Event::Modified, stored.as_ref(), &mut marked, by)?;
    }
    Ok(marked)
}

/// Adds or takes a finalizer of the garbage collection's own.
pub fn set_finalizer(object: &mut Value, finalizer: &str, wanted: bool) {
    let mut finalizers: Vec<String> = meta::finalizers(object).into_iter().map(str::to_owned).collect();
    if finalizers.iter().any(|one| one == finalizer) == wanted {
        return;
    }
    finalizers.retain(|one| one != finalizer);
    if wanted {
        finalizers.push(finalizer.to_owned());
    }
    if finalizers.is_empty() {
        meta::of_mut(object).remove("finalizers");
    } else {
        meta::set(object, "finalizers", finalizers);
    }
}

fn delete_namespace(tx: &mut dyn Tx, key: &Key, object: Value, by: &By) -> Result<Outcome, ApiError> {
    let marked = mark(tx, key, object, by)?;
    let because = because(by, key);
    for inside in store::keys_in(tx, &key.name)? {
        if let Some(object) = store::get(tx, &inside)? {
            let how = Propagation::of(&object);
            delete(tx, &inside, object, how, &because)?;
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
