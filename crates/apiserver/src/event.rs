//! Events have two spellings, `v1` and `events.k8s.io/v1`; they are stored in the first.

use serde_json::Value;

/// (`events.k8s.io/v1`, `v1`)
const FIELDS: [(&str, &str); 7] = [
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("reportingController", "reportingComponent"),
    ("deprecatedCount", "count"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedSource", "source"),
];

pub fn to_core(mut event: Value) -> Value {
    FIELDS.iter().for_each(|(new, core)| rename(&mut event, new, core));
    respell(event, "v1")
}

pub fn from_core(mut event: Value) -> Value {
    FIELDS.iter().for_each(|(new, core)| rename(&mut event, core, new));
    respell(event, "events.k8s.io/v1")
}

fn rename(event: &mut Value, from: &str, to: &str) {
    let Some(fields) = event.as_object_mut() else { return };
    if let Some(value) = fields.remove(from) {
        fields.insert(to.to_owned(), value);
    }
}

fn respell(mut event: Value, api_version: &str) -> Value {
    event["apiVersion"] = api_version.into();
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_spellings_carry_the_same() {
        let new = json!({"apiVersion": "events.k8s.io/v1", "note": "hello", "regarding": {"name": "a"}, "reason": "R"});
        let core = to_core(new.clone());
        assert_eq!(
            core,
            json!({"apiVersion": "v1", "message": "hello", "involvedObject": {"name": "a"}, "reason": "R"})
        );
        assert_eq!(from_core(core), new);
    }
}
