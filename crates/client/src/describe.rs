//! `describe`: one object with its conditions and events, as a person wants to read it.

use kube::Client;
use serde_json::{Map, Value};

use crate::error::ClientError;
use crate::events::{Event, events_of};
use crate::get::{Query, Scope, objects};

/// One object, told.
#[derive(Clone, Debug)]
pub struct Description {
    /// Name, Namespace, Kind and the like, in order.
    pub heading: Vec<(String, String)>,
    pub spec: Value,
    /// Without its conditions.
    pub status: Value,
    pub conditions: Vec<Value>,
    pub events: Vec<Event>,
}

/// Reads the object and the events about it.
pub async fn describe(client: &Client, query: &Query) -> Result<Description, ClientError> {
    let object = objects(client, query).await?;
    let name = query.name.as_deref().unwrap_or_default();
    let events = match &query.scope {
        Scope::Namespace(namespace) => events_of(client, namespace, &query.resource.kind, name).await?,
        Scope::All => Vec::new(),
    };
    Ok(description(&object, events))
}

fn description(object: &Value, events: Vec<Event>) -> Description {
    let mut status = object.get("status").and_then(Value::as_object).cloned().unwrap_or_default();
    let conditions = match status.remove("conditions") {
        Some(Value::Array(conditions)) => conditions,
        _ => Vec::new(),
    };
    let spec = object.get("spec").or_else(|| object.get("data")).cloned().unwrap_or(Value::Null);
    Description { heading: heading(object), spec, status: Value::Object(status), conditions, events }
}

fn heading(object: &Value) -> Vec<(String, String)> {
    let metadata = &object["metadata"];
    let places = [
        ("Name", &metadata["name"]),
        ("Namespace", &metadata["namespace"]),
        ("API Version", &object["apiVersion"]),
        ("Kind", &object["kind"]),
        ("Created", &metadata["creationTimestamp"]),
        ("Deleting since", &metadata["deletionTimestamp"]),
        ("Generation", &metadata["generation"]),
    ];
    let mut told: Vec<(String, String)> = places
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| ((*name).into(), plain(value)))
        .collect();
    for (name, field) in [("Labels", "labels"), ("Annotations", "annotations")] {
        if let Some(pairs) = metadata[field].as_object().filter(|pairs| !pairs.is_empty()) {
            told.push((name.into(), joined(pairs)));
        }
    }
    told
}

fn joined(pairs: &Map<String, Value>) -> String {
    pairs.iter().map(|(key, value)| format!("{key}={}", plain(value))).collect::<Vec<_>>().join(", ")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_leave_the_status_and_empty_headings_are_left_out() {
        let object = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "Dataset",
            "metadata": { "name": "flights", "namespace": "demo", "generation": 2, "labels": { "team": "ops" } },
            "spec": { "owner": "ops" }, "status": { "rows": 3, "conditions": [{ "type": "Ready" }] } });
        let told = description(&object, Vec::new());
        let names: Vec<&str> = told.heading.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Name", "Namespace", "API Version", "Kind", "Generation", "Labels"]);
        assert_eq!(told.status, json!({ "rows": 3 }));
        assert_eq!(told.conditions.len(), 1);
    }
}
