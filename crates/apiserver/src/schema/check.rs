//! What in a value does not fit its schema, told the way Kubernetes tells it.

use std::collections::{HashMap, HashSet};

use regex::Regex;
use serde_json::Value;

use super::{child, of_field};
use crate::error::Cause;

type Patterns = HashMap<String, Regex>;

pub fn check(object: &Value, schema: &Value, patterns: &Patterns) -> Vec<Cause> {
    let mut causes = Vec::new();
    walk(object, schema, "", patterns, &mut causes);
    causes
}

fn walk(value: &Value, schema: &Value, path: &str, patterns: &Patterns, causes: &mut Vec<Cause>) {
    if value.is_null() && schema["nullable"] == true {
        return;
    }
    if let Some(cause) = wrong_type(value, schema, path).or_else(|| not_in_enum(value, schema, path)) {
        causes.push(cause);
        return;
    }
    match value {
        Value::String(text) => causes.extend(wrong_text(text, schema, path, patterns)),
        Value::Number(number) => causes.extend(out_of_range(number, schema, path)),
        Value::Array(items) => walk_items(items, schema, path, patterns, causes),
        Value::Object(fields) => {
            causes.extend(missing(value, schema, path));
            for (name, field) in fields {
                if let Some(inner) = of_field(schema, name) {
                    walk(field, inner, &child(path, name), patterns, causes);
                }
            }
        }
        _ => {}
    }
}

fn walk_items(items: &[Value], schema: &Value, path: &str, patterns: &Patterns, causes: &mut Vec<Cause>) {
    let (min, max) = (schema["minItems"].as_u64(), schema["maxItems"].as_u64());
    if min.is_some_and(|min| (items.len() as u64) < min) || max.is_some_and(|max| items.len() as u64 > max) {
        causes.push(invalid(path, &format!("{} items", items.len()), "has too few or too many items"));
    }
    causes.extend(duplicates(items, schema, path));
    let Some(inner) = schema.get("items") else { return };
    for (i, item) in items.iter().enumerate() {
        walk(item, inner, &format!("{path}[{i}]"), patterns, causes);
    }
}

/// Items of a set, or of a list keyed by what names them, stand once.
fn duplicates(items: &[Value], schema: &Value, path: &str) -> Vec<Cause> {
    let name = |item: &Value| match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => Some(item.to_string()),
        Some("map") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten().filter_map(Value::as_str);
            Some(keys.map(|key| format!("{key}={}", item[key])).collect::<Vec<_>>().join(","))
        }
        _ => None,
    };
    let mut seen = HashSet::new();
    let twice = items.iter().enumerate().filter_map(|(i, item)| Some((i, name(item)?)));
    let twice: Vec<_> = twice.filter(|(_, name)| !seen.insert(name.clone())).collect();
    twice.into_iter().map(|(i, name)| duplicate(format!("{path}[{i}]"), &name)).collect()
}

fn duplicate(field: String, name: &str) -> Cause {
    Cause { reason: "FieldValueDuplicate", field, message: format!("Duplicate value: {name:?}") }
}

fn missing<'a>(value: &'a Value, schema: &'a Value, path: &'a str) -> impl Iterator<Item = Cause> + 'a {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    required.filter(|name| value.get(name).is_none()).map(|name| Cause::required(child(path, name)))
}

fn wrong_type(value: &Value, schema: &Value, path: &str) -> Option<Cause> {
    let expected = schema["type"].as_str()?;
    let found = type_of(value);
    let fits = expected == found
        || (expected == "number" && found == "integer")
        || (schema["x-kubernetes-int-or-string"] == true && matches!(found, "integer" | "string"));
    (!fits).then(|| Cause {
        reason: "FieldValueTypeInvalid",
        field: path.to_owned(),
        message: format!("Invalid value: {found:?}: {path} in body must be of type {expected}: {found:?}"),
    })
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() && number.as_f64().is_some_and(|n| n.fract() != 0.0) => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn not_in_enum(value: &Value, schema: &Value, path: &str) -> Option<Cause> {
    let allowed = schema["enum"].as_array()?;
    let supported = || allowed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    (!allowed.contains(value)).then(|| Cause {
        reason: "FieldValueNotSupported",
        field: path.to_owned(),
        message: format!("Unsupported value: {value}: supported values: {}", supported()),
    })
}

fn wrong_text(text: &str, schema: &Value, path: &str, patterns: &Patterns) -> Option<Cause> {
    let pattern = schema["pattern"].as_str();
    if let Some(pattern) = pattern.filter(|pattern| patterns.get(*pattern).is_some_and(|regex| !regex.is_match(text))) {
        return Some(invalid(path, text, &format!("should match '{pattern}'")));
    }
    let length = text.chars().count() as u64;
    if schema["minLength"].as_u64().is_some_and(|min| length < min) {
        return Some(invalid(path, text, "is too short"));
    }
    if schema["maxLength"].as_u64().is_some_and(|max| length > max) {
        return Some(invalid(path, text, "is too long"));
    }
    let is_time = schema["format"] == "date-time";
    (is_time && text.parse::<bedplate_types::Timestamp>().is_err())
        .then(|| invalid(path, text, "must be of type date-time, for example 2013-07-01T04:00:00Z"))
}

fn out_of_range(number: &serde_json::Number, schema: &Value, path: &str) -> Option<Cause> {
    let value = number.as_f64()?;
    let (format_min, format_max) = bounds_of_format(schema["format"].as_str().unwrap_or_default());
    let min = schema["minimum"].as_f64().unwrap_or(f64::MIN).max(format_min);
    let max = schema["maximum"].as_f64().unwrap_or(f64::MAX).min(format_max);
    if value < min {
        return Some(invalid(path, &number.to_string(), &format!("should be greater than or equal to {min}")));
    }
    (value > max).then(|| invalid(path, &number.to_string(), &format!("should be less than or equal to {max}")))
}

fn bounds_of_format(format: &str) -> (f64, f64) {
    match format {
        "uint8" => (0.0, f64::from(u8::MAX)),
        "uint16" => (0.0, f64::from(u16::MAX)),
        "uint32" => (0.0, f64::from(u32::MAX)),
        "int32" => (f64::from(i32::MIN), f64::from(i32::MAX)),
        "uint64" | "uint" => (0.0, f64::MAX),
        _ => (f64::MIN, f64::MAX),
    }
}

fn invalid(path: &str, value: &str, why: &str) -> Cause {
    Cause::invalid(path, format!("Invalid value: {value:?}: {path} in body {why}"))
}
