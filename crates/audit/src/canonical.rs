//! One spelling for each JSON value: no spaces, members sorted as RFC 8785 sorts them.

use serde_json::{Map, Value};

/// The value as text. Numbers are spelled as `serde_json` spells them, shortest form that reads back the same.
pub(crate) fn canonical(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Object(members) => object(members),
        scalar => scalar.to_string(),
    }
}

fn object(members: &Map<String, Value>) -> String {
    let mut members: Vec<(&String, &Value)> = members.iter().collect();
    members.sort_by_cached_key(|(name, _)| name.encode_utf16().collect::<Vec<u16>>());
    let spelled =
        members.into_iter().map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)));
    format!("{{{}}}", spelled.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sorts_members_at_every_depth_and_by_utf16() {
        let value = json!({"b": [1, {"z": null, "a": 0.5}], "a": "é\"\n", "\u{ffff}": 1, "\u{10000}": 2});
        assert_eq!(
            canonical(&value),
            "{\"a\":\"é\\\"\\n\",\"b\":[1,{\"a\":0.5,\"z\":null}],\"\u{10000}\":2,\"\u{ffff}\":1}"
        );
    }
}
