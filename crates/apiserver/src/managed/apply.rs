//! Server-side apply: merge a configuration into an object, give up what is no longer applied, refuse what others own.

use serde_json::{Value, json};

use super::entries::{self, Author, Entry};
use super::fields::{FieldSet, Path, Step, shown};
use super::leaves::{ListType, difference, field_schema, field_set, key_of, list_type};
use crate::error::{ApiError, Cause};

/// `live` with `config` applied by `author`; `Null` is an object that does not exist yet. With `force`, fields owned by
/// others are taken from them.
///
/// # Errors
/// [`ApiError::ApplyConflict`], naming each field and the manager that owns it.
pub fn apply(live: &Value, config: &Value, author: &Author, force: bool, schema: &Value) -> Result<Value, ApiError> {
    let mut entries = entries::read(live);
    let applied = field_set(config, schema);
    let mut merged = merge(live, config, schema);
    let changed = difference(live, &merged, schema).set;
    let conflicts = conflicts(&entries, author, &changed, &applied);
    if !force && !conflicts.is_empty() {
        return Err(ApiError::ApplyConflict { causes: conflicts });
    }
    for entry in entries.iter_mut().filter(|entry| !entry.is_of(author, "Apply")) {
        changed.iter().filter(|path| applied.contains(path)).for_each(|path| entry.fields.remove(path));
    }
    let own = entries::own(&mut entries, author, "Apply");
    let given_up: Vec<Path> = own.fields.iter().filter(|path| !applied.contains(path)).cloned().collect();
    own.fields = applied;
    own.time.clone_from(&author.time);
    prune(&mut merged, &given_up, &entries, schema);
    entries::write(&mut merged, &entries);
    Ok(merged)
}

fn conflicts(entries: &[Entry], author: &Author, changed: &FieldSet, applied: &FieldSet) -> Vec<Cause> {
    let others = entries.iter().filter(|entry| !entry.is_of(author, "Apply"));
    let one = |entry: &Entry, path: &Path| Cause {
        reason: "FieldManagerConflict",
        field: shown(path),
        message: format!("conflict with {:?}{}", entry.manager, as_what(entry)),
    };
    let contested = |entry: &'_ Entry| -> Vec<Cause> {
        let owned = entry.fields.iter().filter(|path| changed.contains(path) && applied.contains(path));
        owned.map(|path| one(entry, path)).collect()
    };
    others.flat_map(contested).collect()
}

fn as_what(entry: &Entry) -> String {
    let subresource = entry.subresource.as_ref().map(|name| format!(" with subresource {name:?}")).unwrap_or_default();
    if entry.operation == "Apply" { subresource } else { format!("{subresource} using {}", entry.api_version) }
}

fn merge(live: &Value, config: &Value, schema: &Value) -> Value {
    match (live, config) {
        (Value::Object(old), Value::Object(new)) if schema["x-kubernetes-map-type"] != "atomic" => {
            let mut merged = old.clone();
            for (name, value) in new {
                let before = old.get(name).unwrap_or(&Value::Null);
                merged.insert(name.clone(), merge(before, value, field_schema(schema, name)));
            }
            Value::Object(merged)
        }
        (Value::Array(old), Value::Array(new)) => merge_lists(old, new, schema),
        _ => config.clone(),
    }
}

fn merge_lists(old: &[Value], new: &[Value], schema: &Value) -> Value {
    match list_type(schema) {
        ListType::Atomic => json!(new),
        ListType::Set => {
            let added = new.iter().filter(|item| !old.contains(item));
            old.iter().chain(added).cloned().collect()
        }
        ListType::Map(keys) => {
            let mut merged = old.to_vec();
            for item in new {
                match merged.iter().position(|before| key_of(before, &keys) == key_of(item, &keys)) {
                    Some(at) => merged[at] = merge(&merged[at], item, &schema["items"]),
                    None => merged.push(item.clone()),
                }
            }
            merged.into()
        }
    }
}

/// Removes the fields this manager no longer applies, unless somebody else owns them or something below them. Parents come
/// first: an item of a keyed list goes as a whole, or keeps its keys.
fn prune(object: &mut Value, given_up: &[Path], entries: &[Entry], schema: &Value) {
    for path in given_up.iter().filter(|path| !is_key(path)) {
        if !entries.iter().any(|entry| entry.fields.reaches_into(path)) {
            remove(object, path, schema);
        }
    }
}

/// Whether `path` leads to a key of a keyed list's item.
fn is_key(path: &[Step]) -> bool {
    let [.., Step::Key(keys), Step::Field(field)] = path else { return false };
    serde_json::from_str::<Value>(keys).is_ok_and(|keys| keys.get(field).is_some())
}

/// Removes what `path` leads to, and the maps that are empty afterwards; never a field of the object itself.
fn remove(value: &mut Value, path: &[Step], schema: &Value) {
    let Some((step, rest)) = path.split_first() else { return };
    match (step, value) {
        (Step::Field(name), Value::Object(fields)) => {
            if rest.is_empty() {
                fields.remove(name);
                return;
            }
            let Some(inner) = fields.get_mut(name) else { return };
            remove(inner, rest, field_schema(schema, name));
            if rest.len() == 1 && is_empty(inner) && !matches!(name.as_str(), "spec" | "status" | "metadata") {
                fields.remove(name);
            }
        }
        (Step::Item(text), Value::Array(items)) => items.retain(|item| !is_spelled(item, text)),
        (Step::Key(_), Value::Array(items)) => {
            let ListType::Map(keys) = list_type(schema) else { return };
            let Some(at) = items.iter().position(|item| key_of(item, &keys) == *step) else { return };
            if rest.is_empty() {
                items.remove(at);
            } else {
                remove(&mut items[at], rest, &schema["items"]);
            }
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// A set's item is known by its JSON text.
fn is_spelled(item: &Value, text: &str) -> bool {
    let spelled = item.to_string();
    spelled == text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(manager: &str) -> Author {
        Author { manager: manager.into(), api_version: "g/v".into(), subresource: None, time: "t".into() }
    }

    fn schema() -> Value {
        json!({"properties": {"spec": {"properties": {
            "items": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
            "words": {"x-kubernetes-list-type": "set"},
        }}}})
    }

    /// Applies (manager, config) in turn; the last must give `expected`.
    fn check(steps: &[(&str, Value)], expected: &Value) {
        let mut live = Value::Null;
        for (manager, spec) in steps {
            live = apply(&live, &json!({ "spec": spec }), &author(manager), false, &schema()).unwrap();
        }
        assert_eq!(&live["spec"], expected);
    }

    #[test]
    fn what_is_no_longer_applied_is_removed() {
        check(&[("a", json!({"x": 1, "y": 1})), ("a", json!({"x": 1}))], &json!({"x": 1}));
        check(&[("a", json!({"tags": {"k": 1}, "x": 1})), ("a", json!({"x": 1}))], &json!({"x": 1}));
        check(&[("a", json!({"tags": {}})), ("a", json!({"tags": {"k": 1}}))], &json!({"tags": {"k": 1}}));
    }

    #[test]
    fn what_another_manager_applies_too_stays() {
        check(
            &[("a", json!({"x": 1, "y": 1})), ("b", json!({"y": 1})), ("a", json!({"x": 1}))],
            &json!({"x": 1, "y": 1}),
        );
    }

    #[test]
    fn lists_merge_as_the_schema_says() {
        let first = json!({"items": [{"name": "p", "v": 1}], "words": ["a"], "plain": [1]});
        let second = json!({"items": [{"name": "q", "v": 2}], "words": ["b"]});
        let both = json!({"items": [{"name": "p", "v": 1}, {"name": "q", "v": 2}], "words": ["a", "b"], "plain": [1]});
        check(&[("a", first.clone()), ("b", second.clone())], &both);
        let left = json!({"items": [{"name": "q", "v": 2}], "words": ["b"]});
        check(&[("a", first), ("b", second), ("a", json!({}))], &left);
    }

    #[test]
    fn a_conflict_names_the_field_and_its_owner_and_force_takes_it() {
        let live = apply(&Value::Null, &json!({"spec": {"x": 1}}), &author("a"), false, &schema()).unwrap();
        let config = json!({"spec": {"x": 2}});
        let error = apply(&live, &config, &author("b"), false, &schema()).unwrap_err();
        assert_eq!(error.to_string(), "Apply failed with 1 conflict: .spec.x: conflict with \"a\"");
        let forced = apply(&live, &config, &author("b"), true, &schema()).unwrap();
        let entries = forced["metadata"]["managedFields"].as_array().unwrap();
        assert_eq!((entries.len(), &entries[0]["manager"]), (1, &json!("b")));
        assert_eq!(forced["spec"]["x"], 2);
    }
}
