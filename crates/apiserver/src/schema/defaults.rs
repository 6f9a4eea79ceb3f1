//! Filling in the defaults a schema declares.
//!
//! Items of lists are left as they are: lists are replaced as a whole by client-side apply, which would find them changed on
//! every run. Whoever reads the object into its type gets their defaults from there.

use serde_json::Value;

use super::of_field;

pub fn fill(value: &mut Value, schema: &Value) {
    let Value::Object(fields) = value else { return };
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(default) = inner.get("default").filter(|default| !default.is_null() && !fields.contains_key(name)) {
            fields.insert(name.clone(), default.clone());
        }
    }
    for (name, field) in fields.iter_mut() {
        if let Some(inner) = of_field(schema, name) {
            fill(field, inner);
        }
    }
}
