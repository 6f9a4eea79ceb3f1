//! What differs between two states of an object, field by field; and what of an object is anybody's wish.

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One field that differs. `None`: it is not there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// `spec.schema[carrier].type`: an item of a list is called by its name where every item has one, else by its place.
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// kubectl keeps a copy of what it applied there: the same wish twice.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What somebody wished: labels, annotations and everything but status and the server's own metadata.
#[must_use]
pub fn desired(object: &Value) -> Value {
    let Some(fields) = object.as_object() else { return Value::Null };
    let mut wish: Map<String, Value> = fields
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "apiVersion" | "kind" | "metadata" | "status" | "sealed"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut metadata = Map::new();
    for name in ["labels", "annotations"] {
        let Some(mut texts) = object["metadata"][name].as_object().cloned() else { continue };
        texts.shift_remove(LAST_APPLIED);
        if !texts.is_empty() {
            metadata.insert(name.to_owned(), texts.into());
        }
    }
    if !metadata.is_empty() {
        wish.insert("metadata".to_owned(), metadata.into());
    }
    wish.into()
}

/// Every field that differs, in the order of the paths. `Null` is an object that is not there.
#[must_use]
pub fn diff(old: &Value, new: &Value) -> Vec<FieldChange> {
    let mut found = Vec::new();
    walk("", Some(old).filter(|old| !old.is_null()), Some(new).filter(|new| !new.is_null()), &mut found);
    found
}

fn walk(path: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<FieldChange>) {
    if old == new {
        return;
    }
    match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => walk_fields(path, old, new, found),
        // What comes or goes as a whole is told by its leaves.
        (None, Some(Value::Object(new))) if !new.is_empty() => walk_fields(path, &Map::new(), new, found),
        (Some(Value::Object(old)), None) if !old.is_empty() => walk_fields(path, old, &Map::new(), found),
        (Some(Value::Array(old)), Some(Value::Array(new))) => walk_items(path, old, new, found),
        _ => found.push(FieldChange { path: path.to_owned(), before: old.cloned(), after: new.cloned() }),
    }
}

fn walk_fields(path: &str, old: &Map<String, Value>, new: &Map<String, Value>, found: &mut Vec<FieldChange>) {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        walk(&inner, old.get(name), new.get(name), found);
    }
}

fn walk_items(path: &str, old: &[Value], new: &[Value], found: &mut Vec<FieldChange>) {
    if let (Some(before), Some(after)) = (names(old), names(new)) {
        return walk_named(path, (old, &before), (new, &after), found);
    }
    if old.len() == new.len() && old.iter().chain(new).all(Value::is_object) {
        for (at, (old, new)) in old.iter().zip(new).enumerate() {
            walk(&format!("{path}[{at}]"), Some(old), Some(new), found);
        }
        return;
    }
    let whole = |items: &[Value]| Some(Value::from(items.to_vec()));
    found.push(FieldChange { path: path.to_owned(), before: whole(old), after: whole(new) });
}

/// The items' names, when each has one of its own.
fn names(items: &[Value]) -> Option<Vec<&str>> {
    let names: Option<Vec<&str>> = items.iter().map(|item| item.get("name")?.as_str()).collect();
    let names = names?;
    let mut seen = HashSet::new();
    names.iter().all(|name| seen.insert(*name)).then_some(names)
}

type Named<'a> = (&'a [Value], &'a [&'a str]);

fn walk_named(path: &str, old: Named<'_>, new: Named<'_>, found: &mut Vec<FieldChange>) {
    let item =
        |(items, names): Named<'_>, name: &str| names.iter().position(|one| *one == name).map(|at| items[at].clone());
    let gone = old.1.iter().filter(|name| !new.1.contains(*name));
    for name in new.1.iter().chain(gone) {
        let (before, after) = (item(old, name), item(new, name));
        walk(&format!("{path}[{name}]"), before.as_ref(), after.as_ref(), found);
    }
    let common = |from: Named<'_>, other: Named<'_>| -> Vec<String> {
        from.1.iter().filter(|name| other.1.contains(*name)).map(|name| (*name).to_owned()).collect()
    };
    let (before, after) = (common(old, new), common(new, old));
    if before != after {
        found.push(FieldChange {
            path: format!("{path} (order)"),
            before: Some(before.into()),
            after: Some(after.into()),
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(old: Value, new: Value, expected: &[(&str, Value, Value)]) {
        let found = diff(&old, &new);
        let some = |value: &Value| Some(value.clone()).filter(|value| !value.is_null());
        let expected: Vec<_> = expected
            .iter()
            .map(|(path, before, after)| FieldChange { path: (*path).into(), before: some(before), after: some(after) })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn fields_are_told_by_path() {
        check(
            json!({"a": {"b": 1, "c": 2}}),
            json!({"a": {"b": 3, "d": 4}}),
            &[("a.b", json!(1), json!(3)), ("a.c", json!(2), Value::Null), ("a.d", Value::Null, json!(4))],
        );
        check(Value::Null, json!({"a": {"b": 1}}), &[("a.b", Value::Null, json!(1))]);
        check(json!({"l": [1, 2]}), json!({"l": [1]}), &[("l", json!([1, 2]), json!([1]))]);
    }

    #[test]
    fn items_are_told_by_name_or_place() {
        let list = |items: Value| json!({ "l": items });
        check(
            list(json!([{"name": "a", "v": 1}, {"name": "b", "v": 1}])),
            list(json!([{"name": "b", "v": 2}, {"name": "c"}])),
            &[
                ("l[b].v", json!(1), json!(2)),
                ("l[c].name", Value::Null, json!("c")),
                ("l[a].name", json!("a"), Value::Null),
                ("l[a].v", json!(1), Value::Null),
            ],
        );
        check(list(json!([{"v": 1}])), list(json!([{"v": 2}])), &[("l[0].v", json!(1), json!(2))]);
        check(
            list(json!([{"name": "a"}, {"name": "b"}])),
            list(json!([{"name": "b"}, {"name": "a"}])),
            &[("l (order)", json!(["a", "b"]), json!(["b", "a"]))],
        );
    }

    #[test]
    fn a_wish_is_without_what_the_server_says() {
        let object = json!({
            "apiVersion": "v1", "kind": "X", "spec": {"a": 1}, "status": {"phase": "Ready"},
            "metadata": {"name": "x", "uid": "u", "labels": {"l": "1"}, "annotations": {LAST_APPLIED: "{}"}},
        });
        assert_eq!(desired(&object), json!({"spec": {"a": 1}, "metadata": {"labels": {"l": "1"}}}));
        assert_eq!(desired(&Value::Null), Value::Null);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<i8>().prop_map(Value::from), "[ab]{0,2}".prop_map(Value::from)];
        leaf.prop_recursive(3, 16, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[abn]|name", inner, 0..3)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn there_is_a_difference_exactly_when_the_values_differ(old in any_value(), new in any_value()) {
            prop_assert_eq!(diff(&old, &new).is_empty(), old == new);
        }
    }
}
