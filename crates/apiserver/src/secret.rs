//! What is particular about Secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::error::Cause;

/// Folds the write-only `stringData` into `data`, and names the usual type.
pub fn complete(object: &mut Value) {
    let plain = object.as_object_mut().and_then(|fields| fields.remove("stringData"));
    if let Some(Value::Object(plain)) = plain {
        if !object["data"].is_object() {
            object["data"] = json!({});
        }
        for (key, text) in plain {
            object["data"][key] = STANDARD.encode(text.as_str().unwrap_or_default()).into();
        }
    }
    if object["type"].is_null() {
        object["type"] = "Opaque".into();
    }
}

/// Values that are not base64. The values themselves are not told.
pub fn check(object: &Value) -> Vec<Cause> {
    let data = object["data"].as_object().into_iter().flatten();
    let broken = data.filter(|(_, value)| value.as_str().is_none_or(|text| STANDARD.decode(text).is_err()));
    broken
        .map(|(key, _)| Cause::invalid(format!("data.{key}"), "must be base64; use stringData for plain text"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn string_data_becomes_data() {
        let mut secret = json!({"stringData": {"a": "hi"}, "data": {"b": "aGk="}});
        complete(&mut secret);
        assert_eq!(secret, json!({"data": {"b": "aGk=", "a": "aGk="}, "type": "Opaque"}));
        assert!(check(&secret).is_empty());
    }

    #[test]
    fn a_broken_value_is_named_and_not_shown() {
        let causes = check(&json!({"data": {"a": "not base64!"}}));
        assert_eq!(causes[0].field, "data.a");
        assert!(!causes[0].message.contains("not base64!"));
    }
}
