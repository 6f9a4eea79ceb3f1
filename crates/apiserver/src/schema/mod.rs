//! OpenAPI v3 schemas in Kubernetes' structural subset: unknown fields, defaults, and what does not fit.

mod check;
mod defaults;
mod prune;

use std::collections::HashMap;

use regex::Regex;
use serde_json::Value;

use crate::error::{ApiError, Cause};

/// A schema with its patterns compiled.
pub struct Schema {
    root: Value,
    patterns: HashMap<String, Regex>,
}

impl Schema {
    /// Refuses a pattern that is no regular expression.
    pub fn new(root: Value) -> Result<Self, ApiError> {
        let mut patterns = HashMap::new();
        compile(&root, &mut patterns)?;
        Ok(Self { root, patterns })
    }

    /// The schema as it is published.
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// Drops the fields the schema does not know, and nulls where none may be. Returns the paths of the unknown fields.
    pub fn prune(&self, object: &mut Value) -> Vec<String> {
        prune::prune(object, &self.root)
    }

    /// Fills in the defaults of fields that are missing.
    pub fn fill_defaults(&self, object: &mut Value) {
        defaults::fill(object, &self.root);
    }

    /// Everything in `object` that the schema forbids.
    pub fn check(&self, object: &Value) -> Vec<Cause> {
        check::check(object, &self.root, &self.patterns)
    }
}

fn compile(schema: &Value, patterns: &mut HashMap<String, Regex>) -> Result<(), ApiError> {
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        let compiled = Regex::new(pattern).map_err(|error| ApiError::Internal(error.to_string()))?;
        patterns.insert(pattern.to_owned(), compiled);
    }
    match schema {
        Value::Object(fields) => fields.values().try_for_each(|inner| compile(inner, patterns)),
        Value::Array(items) => items.iter().try_for_each(|inner| compile(inner, patterns)),
        _ => Ok(()),
    }
}

/// The schema of a field, from `properties` or `additionalProperties`.
pub fn of_field<'a>(schema: &'a Value, field: &str) -> Option<&'a Value> {
    schema["properties"].get(field).or_else(|| schema.get("additionalProperties").filter(|schema| schema.is_object()))
}

/// Whether fields the schema does not name are kept.
pub fn keeps_unknown(schema: &Value) -> bool {
    schema["x-kubernetes-preserve-unknown-fields"] == true
        || schema["additionalProperties"] == true
        || (schema.get("type").is_none() && schema.get("properties").is_none())
}

/// `spec.a` under `spec`, and `a` under the root.
pub fn child(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) fn example() -> Schema {
        Schema::new(json!({
            "type": "object", "required": ["spec"],
            "properties": {
                "spec": {
                    "type": "object", "required": ["owner"],
                    "properties": {
                        "owner": {"type": "string", "minLength": 1},
                        "ttl": {"type": "string", "pattern": "^[0-9]+s$", "nullable": true},
                        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
                        "mode": {"type": "string", "enum": ["a", "b"], "default": "a"},
                        "count": {"type": "integer", "minimum": 0, "format": "uint32"},
                        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                        "keyed": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
                                  "items": {"type": "object", "properties": {"k": {"type": "string"}}}},
                        "words": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                        "list": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "number"}}}},
                    },
                },
            },
        }))
        .unwrap()
    }

    #[test]
    fn unknown_fields_are_named_by_path_and_dropped() {
        let mut object = json!({"spec": {"owner": "a", "nope": 1, "tags": {"any": "x"}, "free": {"y": 1},
            "list": [{"x": 1}, {"z": 1}], "mode": null, "ttl": null}});
        assert_eq!(example().prune(&mut object), ["spec.nope", "spec.list[1].z"]);
        let kept = json!({"spec": {"owner": "a", "tags": {"any": "x"}, "free": {"y": 1}, "list": [{"x": 1}, {}], "ttl": null}});
        assert_eq!(object, kept);
    }

    #[test]
    fn defaults_are_filled_in() {
        let mut object = json!({"spec": {"owner": "a"}});
        example().fill_defaults(&mut object);
        assert_eq!(object, json!({"spec": {"owner": "a", "mode": "a"}}));
    }

    fn check(spec: Value, expected: &[(&str, &str)]) {
        let causes = example().check(&json!({ "spec": spec }));
        let found: Vec<_> = causes.iter().map(|cause| (cause.field.as_str(), cause.reason)).collect();
        assert_eq!(found, expected, "{causes:?}");
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_path() {
        check(json!({"owner": "a", "count": 3, "list": [{"x": 1.5}]}), &[]);
        check(json!({}), &[("spec.owner", "FieldValueRequired")]);
        check(json!({"owner": 1}), &[("spec.owner", "FieldValueTypeInvalid")]);
        check(json!({"owner": "a", "mode": "c"}), &[("spec.mode", "FieldValueNotSupported")]);
        check(json!({"owner": "a", "ttl": "1h"}), &[("spec.ttl", "FieldValueInvalid")]);
        check(json!({"owner": "a", "count": -1}), &[("spec.count", "FieldValueInvalid")]);
        check(json!({"owner": "a", "tags": {"k": 1}}), &[("spec.tags.k", "FieldValueTypeInvalid")]);
        check(json!({"owner": "a", "list": [{"x": "1"}]}), &[("spec.list[0].x", "FieldValueTypeInvalid")]);
        check(
            json!({"owner": "a", "keyed": [{"k": "x"}, {"k": "y"}, {"k": "x"}]}),
            &[("spec.keyed[2]", "FieldValueDuplicate")],
        );
        check(json!({"owner": "a", "words": ["x", "y", "y"]}), &[("spec.words[2]", "FieldValueDuplicate")]);
        check(json!("text"), &[("spec", "FieldValueTypeInvalid")]);
    }
}
