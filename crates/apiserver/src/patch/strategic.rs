//! Strategic merge patch, as far as the core resources served here need it: maps merge, lists are replaced, except
//! `finalizers` (a set) and `ownerReferences` (by uid).

use serde_json::{Map, Value};

pub fn apply(old: &Value, patch: &Value) -> Value {
    let Value::Object(changes) = patch else { return patch.clone() };
    if changes.get("$patch").is_some_and(|directive| directive == "replace") {
        return Value::Object(without_directives(changes));
    }
    let mut merged = old.as_object().cloned().unwrap_or_else(Map::new);
    for (name, change) in changes {
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            delete_from(&mut merged, list, change);
        } else if name.starts_with('$') {
            // The order of a list's elements: these lists have none.
        } else if change.is_null() || change["$patch"] == "delete" {
            merged.remove(name);
        } else {
            let before = merged.get(name).unwrap_or(&Value::Null);
            let after = apply_to_field(name, before, change);
            merged.insert(name.clone(), after);
        }
    }
    Value::Object(merged)
}

fn without_directives(changes: &Map<String, Value>) -> Map<String, Value> {
    changes
        .iter()
        .filter(|(name, _)| !name.starts_with('$'))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn delete_from(merged: &mut Map<String, Value>, list: &str, gone: &Value) {
    let Some(items) = merged.get_mut(list).and_then(Value::as_array_mut) else { return };
    items.retain(|item| !gone.as_array().is_some_and(|gone| gone.contains(item)));
}

fn apply_to_field(name: &str, old: &Value, change: &Value) -> Value {
    match (old, change) {
        (Value::Array(old), Value::Array(new)) if name == "finalizers" => {
            old.iter().chain(new.iter().filter(|item| !old.contains(item))).cloned().collect()
        }
        (Value::Array(old), Value::Array(new)) if name == "ownerReferences" => merge_by_uid(old, new),
        _ => apply(old, change),
    }
}

fn merge_by_uid(old: &[Value], new: &[Value]) -> Value {
    let mut merged = old.to_vec();
    for item in new.iter().filter(|item| item["uid"].is_string()) {
        let at = merged.iter().position(|before| before["uid"] == item["uid"]);
        match (at, item["$patch"] == "delete") {
            (Some(at), true) => {
                merged.remove(at);
            }
            (Some(at), false) => merged[at] = apply(&merged[at], item),
            (None, true) => {}
            (None, false) => merged.push(item.clone()),
        }
    }
    merged.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn maps_merge_and_the_two_lists_follow_their_keys() {
        let old =
            json!({"data": {"a": "1", "b": "2"}, "metadata": {"finalizers": ["x"], "ownerReferences": [{"uid": "1"}]}});
        let patch = json!({
            "data": {"a": null, "c": "3"},
            "metadata": {
                "$setElementOrder/finalizers": ["x", "y"], "finalizers": ["y"],
                "ownerReferences": [{"uid": "1", "$patch": "delete"}, {"uid": "2"}],
            },
        });
        let expected = json!({"data": {"b": "2", "c": "3"},
            "metadata": {"finalizers": ["x", "y"], "ownerReferences": [{"uid": "2"}]}});
        assert_eq!(apply(&old, &patch), expected);
    }
}
