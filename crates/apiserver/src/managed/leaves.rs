//! The paths of a value, and what differs between two values.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::{FieldSet, Path, Step};
use crate::schema;

/// How a list is merged.
pub enum ListType {
    Atomic,
    Set,
    Map(Vec<String>),
}

pub fn list_type(schema: &Value) -> ListType {
    match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => ListType::Set,
        Some("map") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
            ListType::Map(keys.filter_map(Value::as_str).map(str::to_owned).collect())
        }
        _ => ListType::Atomic,
    }
}

/// The step to an item of a keyed list: its keys, sorted, as JSON.
pub fn key_of(item: &Value, keys: &[String]) -> Step {
    let values: BTreeMap<&str, &Value> = keys.iter().map(|key| (key.as_str(), &item[key.as_str()])).collect();
    Step::Key(serde_json::to_string(&values).unwrap_or_default())
}

/// The schema of a field; `Null`, which declares nothing, when there is none.
pub fn field_schema<'a>(schema: &'a Value, field: &str) -> &'a Value {
    schema::of_field(schema, field).unwrap_or(&Value::Null)
}

type Leaves<'a> = BTreeMap<Path, &'a Value>;

/// The fields of `object` that can be owned, with their values; the server's own are left out.
pub fn leaves<'a>(object: &'a Value, schema: &Value) -> Leaves<'a> {
    let mut found = Leaves::new();
    if let Some(fields) = object.as_object() {
        walk_fields(fields, schema, &mut Vec::new(), &mut found);
    }
    found.retain(|path, _| !is_servers(path));
    found
}

pub fn field_set(object: &Value, schema: &Value) -> FieldSet {
    leaves(object, schema).into_keys().collect()
}

fn is_servers(path: &[Step]) -> bool {
    const SERVERS: [&str; 10] = [
        "name",
        "namespace",
        "generateName",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
    ];
    match path {
        [Step::Field(only)] => matches!(only.as_str(), "apiVersion" | "kind" | "metadata"),
        [Step::Field(first), Step::Field(second), ..] => first == "metadata" && SERVERS.contains(&second.as_str()),
        _ => false,
    }
}

fn walk<'a>(value: &'a Value, schema: &Value, path: &mut Path, found: &mut Leaves<'a>) {
    match value {
        Value::Object(fields) if !fields.is_empty() && schema["x-kubernetes-map-type"] != "atomic" => {
            walk_fields(fields, schema, path, found);
        }
        Value::Array(items) if !items.is_empty() => walk_items(value, items, schema, path, found),
        _ => {
            found.insert(path.clone(), value);
        }
    }
}

fn walk_fields<'a>(fields: &'a Map<String, Value>, schema: &Value, path: &mut Path, found: &mut Leaves<'a>) {
    for (name, inner) in fields {
        path.push(Step::Field(name.clone()));
        walk(inner, field_schema(schema, name), path, found);
        path.pop();
    }
}

fn walk_items<'a>(list: &'a Value, items: &'a [Value], schema: &Value, path: &mut Path, found: &mut Leaves<'a>) {
    match list_type(schema) {
        ListType::Atomic => {
            found.insert(path.clone(), list);
        }
        ListType::Set => {
            for item in items {
                path.push(Step::Item(item.to_string()));
                found.insert(path.clone(), item);
                path.pop();
            }
        }
        ListType::Map(keys) => {
            for item in items {
                path.push(key_of(item, &keys));
                found.insert(path.clone(), &Value::Null);
                walk(item, &schema["items"], path, found);
                path.pop();
            }
        }
    }
}

/// What is different in `new`.
#[derive(Debug, Default)]
pub struct Difference {
    /// Added or modified.
    pub set: FieldSet,
    pub removed: FieldSet,
}

impl Difference {
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.removed.is_empty()
    }
}

pub fn difference(old: &Value, new: &Value, schema: &Value) -> Difference {
    let (old, new) = (leaves(old, schema), leaves(new, schema));
    let removed = old.keys().filter(|path| !new.contains_key(*path)).cloned().collect();
    let set = new.into_iter().filter(|(path, value)| old.get(path) != Some(value)).map(|(path, _)| path).collect();
    Difference { set, removed }
}
