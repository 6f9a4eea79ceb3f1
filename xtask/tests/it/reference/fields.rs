//! A schema as a flat list of fields, in words.

use serde_json::Value;

/// One row of a table.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// `schema[].name`
    pub path: String,
    pub kind: String,
    pub default: String,
    pub required: bool,
    pub description: String,
}

/// Every field below `schema`, parents before what is in them.
pub fn of(schema: &Value) -> Vec<Field> {
    let mut fields = Vec::new();
    walk(schema, "", &mut fields);
    fields
}

fn walk(schema: &Value, prefix: &str, fields: &mut Vec<Field>) {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{prefix}{name}");
        fields.push(Field {
            kind: kind(inner),
            default: default(inner),
            required: required.contains(&name.as_str()),
            description: inner["description"].as_str().unwrap_or_default().to_owned(),
            path: path.clone(),
        });
        // Every kind's conditions are alike, and Kubernetes' own.
        if name != "conditions" {
            below(inner, &path, fields);
        }
    }
}

fn below(schema: &Value, path: &str, fields: &mut Vec<Field>) {
    walk(schema, &format!("{path}."), fields);
    if schema["items"].is_object() {
        below(&schema["items"], &format!("{path}[]"), fields);
    }
    if schema["additionalProperties"].is_object() {
        below(&schema["additionalProperties"], &format!("{path}.*"), fields);
    }
}

fn kind(schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values.iter().filter_map(Value::as_str).map(|one| format!("`{one}`")).collect();
        return format!("one of {}", values.join(", "));
    }
    let text = |field: &str| schema[field].as_str().unwrap_or_default();
    match text("type") {
        "array" => format!("list of {}{}", kind(&schema["items"]), keys(schema)),
        "object" if schema["additionalProperties"].is_object() => {
            format!("map of {}", kind(&schema["additionalProperties"]))
        }
        "object" if schema["x-kubernetes-preserve-unknown-fields"] == true => "map of anything".to_owned(),
        "" => "anything".to_owned(),
        other if text("format").is_empty() => other.to_owned(),
        other => format!("{other} ({})", text("format")),
    }
}

fn keys(schema: &Value) -> String {
    let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let keys: Vec<_> = keys.map(|key| format!("`{key}`")).collect();
    if keys.is_empty() { String::new() } else { format!(", keyed by {}", keys.join(" and ")) }
}

/// What is empty or null is no default worth a word.
fn default(schema: &Value) -> String {
    match &schema["default"] {
        Value::Null => String::new(),
        Value::String(text) if text.is_empty() => String::new(),
        Value::String(text) => format!("`{text}`"),
        Value::Array(items) if items.is_empty() => String::new(),
        Value::Object(fields) if fields.is_empty() => String::new(),
        other => format!("`{other}`"),
    }
}

mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_is_told_field_by_field() {
        let schema = json!({
            "required": ["list"],
            "properties": {
                "list": { "type": "array", "x-kubernetes-list-map-keys": ["name"], "items": { "type": "object",
                    "required": ["name"], "properties": { "name": { "type": "string", "description": "A." } } } },
                "mode": { "type": "string", "enum": ["a", "b"], "default": "a" },
                "tags": { "type": "object", "additionalProperties": { "type": "string" }, "default": {} },
            },
        });
        let told: Vec<_> = of(&schema).into_iter().map(|f| (f.path, f.kind, f.default, f.required)).collect();
        let row = |path: &str, kind: &str, default: &str, required| {
            (path.to_owned(), kind.to_owned(), default.to_owned(), required)
        };
        assert_eq!(
            told,
            [
                row("list", "list of object, keyed by `name`", "", true),
                row("list[].name", "string", "", true),
                row("mode", "one of `a`, `b`", "`a`", false),
                row("tags", "map of string", "", false),
            ]
        );
    }
}
