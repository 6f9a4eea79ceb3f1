//! Reading and setting the metadata of an object that is plain JSON.

use bedplate_types::Timestamp;
use serde_json::{Map, Value, json};

pub fn text<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    object["metadata"][field].as_str().filter(|text| !text.is_empty())
}

pub fn name(object: &Value) -> &str {
    text(object, "name").unwrap_or_default()
}

pub fn uid(object: &Value) -> &str {
    text(object, "uid").unwrap_or_default()
}

pub fn labels(object: &Value) -> &Value {
    &object["metadata"]["labels"]
}

pub fn is_terminating(object: &Value) -> bool {
    text(object, "deletionTimestamp").is_some()
}

pub fn finalizers(object: &Value) -> Vec<&str> {
    let listed = object["metadata"]["finalizers"].as_array();
    listed.map(|all| all.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

/// The uids of the owners.
pub fn owners(object: &Value) -> Vec<&str> {
    let listed = object["metadata"]["ownerReferences"].as_array();
    listed.map(|all| all.iter().filter_map(|owner| owner["uid"].as_str()).collect()).unwrap_or_default()
}

/// The metadata, made when it is missing. The object must be a JSON object: `body` refuses anything else.
pub fn of_mut(object: &mut Value) -> &mut Map<String, Value> {
    let metadata = &mut object["metadata"];
    if !metadata.is_object() {
        *metadata = json!({});
    }
    metadata.as_object_mut().expect("it was just made an object")
}

pub fn set(object: &mut Value, field: &str, value: impl Into<Value>) {
    of_mut(object).insert(field.to_owned(), value.into());
}

/// Makes `object` carry the same metadata field as `other`, or none as `other` has none.
pub fn keep(object: &mut Value, other: &Value, field: &str) {
    copy(of_mut(object), &other["metadata"], field);
}

/// The same for a field of the object itself, for example `status`.
pub fn keep_top(object: &mut Value, other: &Value, field: &str) {
    if let Some(fields) = object.as_object_mut() {
        copy(fields, other, field);
    }
}

fn copy(fields: &mut Map<String, Value>, from: &Value, field: &str) {
    match from.get(field) {
        Some(value) => fields.insert(field.to_owned(), value.clone()),
        None => fields.remove(field),
    };
}

/// RFC 3339 in whole seconds, the resolution of Kubernetes' `metav1.Time`.
pub fn seconds(at: Timestamp) -> String {
    Timestamp::from_micros(at.micros().div_euclid(1_000_000) * 1_000_000).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_whole_seconds() {
        assert_eq!(seconds(Timestamp::from_micros(1_999_999)), "1970-01-01T00:00:01Z");
    }

    #[test]
    fn keeping_a_missing_field_removes_it() {
        let mut object = json!({"metadata": {"uid": "forged"}, "status": {"a": 1}});
        keep(&mut object, &json!({}), "uid");
        keep_top(&mut object, &json!({"status": 2}), "status");
        assert_eq!(object, json!({"metadata": {}, "status": 2}));
    }
}
