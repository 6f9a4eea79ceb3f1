//! Events: what the controllers said about an object, in the order they said it.

use kube::Client;
use serde_json::Value;

use crate::error::ClientError;
use crate::request::{JSON, escaped, get, send};

/// One event, whichever of the two API groups it was written through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// RFC 3339 of the last time it was seen.
    pub at: String,
    /// Normal or Warning.
    pub kind: String,
    pub reason: String,
    pub message: String,
    pub count: u64,
}

/// The events about the object of `kind` called `name`, oldest first. A server without events has none.
pub async fn events_of(client: &Client, namespace: &str, kind: &str, name: &str) -> Result<Vec<Event>, ClientError> {
    let namespace = escaped(namespace);
    for root in ["/api/v1", "/apis/events.k8s.io/v1"] {
        let path = format!("{root}/namespaces/{namespace}/events");
        match send::<Value>(client, get(&path, JSON)?).await {
            Ok(list) => return Ok(about(&list, kind, name)),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Vec::new())
}

fn about(list: &Value, kind: &str, name: &str) -> Vec<Event> {
    let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut found: Vec<Event> = items.iter().filter(|item| regards(item, kind, name)).map(event).collect();
    found.sort_by(|a, b| a.at.cmp(&b.at));
    found
}

/// `involvedObject` in the core group, `regarding` in `events.k8s.io`.
fn regards(item: &Value, kind: &str, name: &str) -> bool {
    ["involvedObject", "regarding"].iter().any(|field| item[field]["kind"] == kind && item[field]["name"] == name)
}

fn event(item: &Value) -> Event {
    Event {
        at: first(item, &["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"]),
        kind: first(item, &["/type"]),
        reason: first(item, &["/reason"]),
        message: first(item, &["/message", "/note"]),
        count: ["/series/count", "/count"].iter().find_map(|at| item.pointer(at)?.as_u64()).unwrap_or(1),
    }
}

fn first(item: &Value, places: &[&str]) -> String {
    let mut said = places.iter().filter_map(|place| item.pointer(place)?.as_str());
    said.find(|text| !text.is_empty()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_both_spellings_and_keeps_to_the_object() {
        let list = json!({ "items": [
            { "regarding": { "kind": "Dataset", "name": "flights" }, "eventTime": "2026-01-02T00:00:00Z",
              "type": "Normal", "reason": "Ingested", "note": "336776 rows" },
            { "involvedObject": { "kind": "Dataset", "name": "flights" }, "lastTimestamp": "2026-01-01T00:00:00Z",
              "type": "Warning", "reason": "Waiting", "message": "for the suite", "count": 3 },
            { "involvedObject": { "kind": "Entity", "name": "flights" }, "reason": "Other" }] });
        let found = about(&list, "Dataset", "flights");
        assert_eq!(found.iter().map(|e| e.reason.as_str()).collect::<Vec<_>>(), ["Waiting", "Ingested"]);
        assert_eq!((found[0].count, found[1].message.as_str()), (3, "336776 rows"));
    }
}
