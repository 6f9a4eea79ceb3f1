//! Kubernetes' rules of structural schemas, as it documents them ("Extend the Kubernetes API with
//! CustomResourceDefinitions", the sections on structural schemas, defaulting and pruning, and "Server-Side Apply", the
//! section on merge strategies).

use serde_json::{Map, Value};

/// Every rule `root` breaks, with the place.
pub fn broken(root: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if root["type"] != "object" {
        found.push("the root is no object".to_owned());
    }
    check(root, "", &mut found);
    metadata(root, &mut found);
    found
}

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
const FORBIDDEN: [&str; 13] = [
    "$ref",
    "definitions",
    "dependencies",
    "deprecated",
    "discriminator",
    "id",
    "patternProperties",
    "readOnly",
    "writeOnly",
    "xml",
    "const",
    "$defs",
    "additionalItems",
];
const JUNCTORS: [&str; 4] = ["allOf", "anyOf", "oneOf", "not"];
/// What only the schema itself may say, never a part of a junctor.
const NOT_IN_JUNCTORS: [&str; 5] = ["description", "type", "default", "additionalProperties", "nullable"];

fn check(schema: &Value, path: &str, found: &mut Vec<String>) {
    let Some(said) = schema.as_object() else {
        return found.push(format!("{path}: is no schema but {schema}"));
    };
    let mut wrong = |why: &str| found.push(format!("{path}: {why}"));
    if !said.contains_key("type") && !is_true(schema, "x-kubernetes-int-or-string") && !keeps_unknown(schema) {
        wrong("has no type");
    }
    if said.get("type").is_some_and(|given| !TYPES.iter().any(|known| given == *known)) {
        wrong(&format!("type {} is not one", schema["type"]));
    }
    for word in FORBIDDEN.iter().filter(|word| said.contains_key(**word)) {
        wrong(&format!("{word} is not allowed"));
    }
    if schema["uniqueItems"] == true {
        wrong("uniqueItems may not be true");
    }
    if schema["additionalProperties"] == false {
        wrong("additionalProperties may not be false");
    }
    if said.contains_key("additionalProperties") && said.contains_key("properties") {
        wrong("has both properties and additionalProperties");
    }
    if schema["type"] == "array" && !schema["items"].is_object() {
        wrong("is a list of what?");
    }
    if schema["properties"].is_object() && schema["type"] != "object" {
        wrong("has properties and is no object");
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if schema["properties"].get(name).is_none() && !keeps_unknown(schema) {
            wrong(&format!("requires {name}, which is not there"));
        }
    }
    lists(schema, path, found);
    junctors(schema, path, found);
    if let Some(default) = said.get("default") {
        defaults(default, schema, &format!("{path}.default"), found);
    }
    for (name, inner) in fields(schema) {
        check(inner, &format!("{path}.{name}"), found);
    }
    if let Some(items) = said.get("items") {
        check(items, &format!("{path}[]"), found);
    }
    if let Some(values) = said.get("additionalProperties").filter(|values| !values.is_boolean()) {
        check(values, &format!("{path}.*"), found);
    }
}

fn lists(schema: &Value, path: &str, found: &mut Vec<String>) {
    let mut wrong = |why: String| found.push(format!("{path}: {why}"));
    let keys: Vec<&str> =
        schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let Some(list_type) = schema["x-kubernetes-list-type"].as_str() else {
        if !keys.is_empty() {
            wrong("keys of a list that is no map".to_owned());
        }
        return;
    };
    if schema["type"] != "array" {
        wrong(format!("list type {list_type} of what is no list"));
    }
    let items = &schema["items"];
    match list_type {
        "atomic" => {}
        "set" if is_scalar(items) || items["x-kubernetes-map-type"] == "atomic" => {}
        "set" => wrong("a set of what can be merged".to_owned()),
        "map" => {
            if keys.is_empty() || items["type"] != "object" {
                wrong("a map without keys, or of no objects".to_owned());
            }
            for (at, key) in keys.iter().enumerate() {
                let property = &items["properties"][key];
                let required = items["required"].as_array().into_iter().flatten().any(|name| name == key);
                if keys[..at].contains(key) || !is_scalar(property) || property["nullable"] == true {
                    wrong(format!("key {key} must stand once and be a scalar"));
                }
                if !required && property.get("default").is_none() {
                    wrong(format!("key {key} is neither required nor has a default"));
                }
            }
        }
        other => wrong(format!("list type {other} is not one")),
    }
    if list_type != "map" && !keys.is_empty() {
        wrong("keys of a list that is no map".to_owned());
    }
}

fn is_scalar(schema: &Value) -> bool {
    ["boolean", "integer", "number", "string"].iter().any(|scalar| schema["type"] == *scalar)
}

fn junctors(schema: &Value, path: &str, found: &mut Vec<String>) {
    for junctor in JUNCTORS {
        let parts = match &schema[junctor] {
            Value::Array(parts) => parts.iter().collect(),
            Value::Null => Vec::new(),
            one => vec![one],
        };
        for part in parts {
            within_junctor(part, schema, &format!("{path}.{junctor}"), found);
        }
    }
}

/// A part of a junctor may only speak of what the schema outside declares, and only of its values.
fn within_junctor(part: &Value, outside: &Value, path: &str, found: &mut Vec<String>) {
    let int_or_string = is_true(outside, "x-kubernetes-int-or-string");
    for word in NOT_IN_JUNCTORS.iter().filter(|word| part.get(**word).is_some()) {
        if !(int_or_string && *word == "type") {
            found.push(format!("{path}: {word} may not stand within a junctor"));
        }
    }
    for (name, inner) in fields(part) {
        match outside["properties"].get(name) {
            Some(declared) => within_junctor(inner, declared, &format!("{path}.{name}"), found),
            None => found.push(format!("{path}.{name}: is not declared outside of the junctor")),
        }
    }
    if let Some(inner) = part.get("items") {
        match outside.get("items") {
            Some(declared) => within_junctor(inner, declared, &format!("{path}[]"), found),
            None => found.push(format!("{path}[]: is not declared outside of the junctor")),
        }
    }
    junctors(part, path, found);
}

/// A default must be of its own schema, with no unknown field, and null only where null may be.
fn defaults(value: &Value, schema: &Value, path: &str, found: &mut Vec<String>) {
    let mut wrong = |why: String| found.push(format!("{path}: {why}"));
    if value.is_null() {
        if schema["nullable"] != true {
            wrong("null is not allowed".to_owned());
        }
        return;
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = schema["type"] == kind || (kind == "integer" && schema["type"] == "number");
    if !fits {
        return wrong(format!("{value} is no {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|allowed| !allowed.contains(value)) {
        return wrong(format!("{value} is not among {}", schema["enum"]));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let filled = schema["properties"][name].get("default").is_some();
        if value.is_object() && value.get(name).is_none() && !filled {
            wrong(format!("has no {name}, which is required"));
        }
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(name).or_else(|| schema.get("additionalProperties")) {
            Some(declared) => defaults(inner, declared, &format!("{path}.{name}"), found),
            None if keeps_unknown(schema) => {}
            None => found.push(format!("{path}.{name}: is not known")),
        }
    }
    for inner in value.as_array().into_iter().flatten() {
        defaults(inner, &schema["items"], &format!("{path}[]"), found);
    }
}

/// Of an object's metadata a schema may restrict the name and nothing else.
fn metadata(root: &Value, found: &mut Vec<String>) {
    let said = root["properties"]["metadata"]["properties"].as_object();
    for name in said.into_iter().flat_map(Map::keys).filter(|name| !matches!(name.as_str(), "name" | "generateName")) {
        found.push(format!(".metadata.{name}: may not be restricted"));
    }
}

fn fields(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

fn keeps_unknown(schema: &Value) -> bool {
    is_true(schema, "x-kubernetes-preserve-unknown-fields")
}

fn is_true(schema: &Value, word: &str) -> bool {
    schema[word] == true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::broken;

    /// The checker itself: each rule broken once.
    #[test]
    fn every_rule_can_be_broken() {
        let sound = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
        assert_eq!(broken(&sound), Vec::<String>::new());
        for (part, words) in [
            (json!({}), "has no type"),
            (json!({ "type": ["string", "null"] }), "is not one"),
            (json!({ "type": "object", "$ref": "#/x" }), "$ref is not allowed"),
            (json!({ "type": "array" }), "a list of what"),
            (json!({ "type": "array", "items": {} }), "has no type"),
            (json!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true }), "uniqueItems"),
            (json!({ "type": "object", "additionalProperties": false }), "may not be false"),
            (json!({ "type": "object", "properties": {}, "additionalProperties": { "type": "string" } }), "both"),
            (json!({ "type": "object", "required": ["b"] }), "requires b"),
            (json!({ "type": "string", "default": 1 }), "1 is no"),
            (json!({ "type": "string", "default": null }), "null is not allowed"),
            (json!({ "type": "string", "enum": ["x"], "default": "y" }), "not among"),
            (json!({ "type": "object", "default": { "z": 1 } }), "is not known"),
            (
                json!({ "type": "object", "required": ["p"], "properties": { "p": { "type": "string" } }, "default": {} }),
                "has no p",
            ),
            (json!({ "type": "object", "anyOf": [{ "type": "object" }] }), "type may not stand within"),
            (json!({ "type": "object", "oneOf": [{ "properties": { "q": {} } }] }), "not declared outside"),
            (json!({ "type": "string", "x-kubernetes-list-type": "set" }), "of what is no list"),
            (
                json!({ "type": "array", "items": { "type": "object" }, "x-kubernetes-list-type": "set" }),
                "can be merged",
            ),
            (
                json!({ "type": "array", "items": { "type": "object" }, "x-kubernetes-list-type": "map" }),
                "without keys",
            ),
            (
                json!({ "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
                    "items": { "type": "object", "properties": { "k": { "type": "string" } } } }),
                "neither required nor has a default",
            ),
        ] {
            let found = broken(&json!({ "type": "object", "properties": { "a": part } }));
            assert!(found.iter().any(|one| one.contains(words)), "{words}: {found:?}");
        }
        let restricted = json!({ "properties": { "labels": { "type": "object" } }, "type": "object" });
        let found = broken(&json!({ "type": "object", "properties": { "metadata": restricted } }));
        assert_eq!(found, [".metadata.labels: may not be restricted"]);
    }
}
