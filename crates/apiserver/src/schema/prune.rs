//! Dropping what the schema does not know.

use serde_json::{Map, Value};

use super::{child, keeps_unknown, of_field};

pub fn prune(object: &mut Value, schema: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    walk(object, schema, "", &mut unknown);
    unknown
}

fn walk(value: &mut Value, schema: &Value, path: &str, unknown: &mut Vec<String>) {
    match value {
        Value::Object(fields) => walk_fields(fields, schema, path, unknown),
        Value::Array(items) => {
            let Some(inner) = schema.get("items") else { return };
            for (i, item) in items.iter_mut().enumerate() {
                walk(item, inner, &format!("{path}[{i}]"), unknown);
            }
        }
        _ => {}
    }
}

fn walk_fields(fields: &mut Map<String, Value>, schema: &Value, path: &str, unknown: &mut Vec<String>) {
    fields.retain(|name, value| match of_field(schema, name) {
        Some(inner) if value.is_null() => may_be_null(inner),
        Some(inner) => {
            walk(value, inner, &child(path, name), unknown);
            true
        }
        None if keeps_unknown(schema) => true,
        None => {
            unknown.push(child(path, name));
            false
        }
    });
}

fn may_be_null(schema: &Value) -> bool {
    schema["nullable"] == true || keeps_unknown(schema)
}
