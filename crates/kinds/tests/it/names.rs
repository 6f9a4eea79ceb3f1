//! Kubernetes' rules for the rest of a definition: names, versions, columns, selectable fields, size.

use serde_json::Value;

/// `kubectl apply` keeps the whole object in an annotation, which may be so large.
const LARGEST_ANNOTATION: usize = 262_144;

/// Every rule the definition breaks outside of its schema.
pub fn broken(definition: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let spec = &definition["spec"];
    let names = &spec["names"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (plural, group) = (text(&names["plural"]), text(&spec["group"]));
    if definition["metadata"]["name"] != format!("{plural}.{group}") {
        found.push("metadata.name is not plural.group".to_owned());
    }
    if !group.contains('.') || !group.split('.').all(is_label) {
        found.push(format!("group {group} is no DNS name"));
    }
    let short = names["shortNames"].as_array().into_iter().flatten();
    let categories = names["categories"].as_array().into_iter().flatten();
    for name in [&names["plural"], &names["singular"]].into_iter().chain(short).chain(categories) {
        if !is_label(&text(name)) {
            found.push(format!("{name} is no DNS label"));
        }
    }
    if !is_label(&text(&names["kind"]).to_lowercase()) {
        found.push(format!("kind {} is no name", names["kind"]));
    }
    if !["Namespaced", "Cluster"].iter().any(|scope| spec["scope"] == *scope) {
        found.push("has no scope".to_owned());
    }
    let versions: Vec<&Value> = spec["versions"].as_array().into_iter().flatten().collect();
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        found.push("must store exactly one version".to_owned());
    }
    for version in versions {
        if !is_label(&text(&version["name"])) || !version["served"].is_boolean() {
            found.push(format!("version {} is no version", version["name"]));
        }
        if !version["subresources"]["status"].is_object() {
            found.push("has no status subresource".to_owned());
        }
        columns(version, &mut found);
        selectable(version, &mut found);
    }
    if definition.to_string().len() >= LARGEST_ANNOTATION {
        found.push("is too large for kubectl apply".to_owned());
    }
    found
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let edges = [text.bytes().next(), text.bytes().next_back()];
    text.len() <= 63 && text.bytes().all(inner) && edges.iter().all(|edge| edge.is_some_and(|byte| byte != b'-'))
}

fn columns(version: &Value, found: &mut Vec<String>) {
    const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
    for column in version["additionalPrinterColumns"].as_array().into_iter().flatten() {
        let path = column["jsonPath"].as_str().unwrap_or_default();
        let known = TYPES.iter().any(|known| column["type"] == *known);
        let named = column["name"].as_str().is_some_and(|name| !name.is_empty());
        if !path.starts_with('.') || !known || !named {
            found.push(format!("column {column} is none"));
        }
        if !path.starts_with(".metadata") && at(version, path).is_none() {
            found.push(format!("column {column} shows nothing of the schema"));
        }
    }
}

/// At most eight simple paths to texts, whole numbers or truths that the schema declares.
fn selectable(version: &Value, found: &mut Vec<String>) {
    let fields: Vec<&str> = version["selectableFields"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|field| field["jsonPath"].as_str())
        .collect();
    if fields.len() > 8 {
        found.push("has more than eight selectable fields".to_owned());
    }
    for (i, path) in fields.iter().enumerate() {
        let of = at(version, path);
        let scalar = |schema: &&Value| ["boolean", "integer", "string"].iter().any(|scalar| schema["type"] == *scalar);
        if path.contains('[')
            || path.starts_with(".metadata")
            || fields[..i].contains(path)
            || !of.is_some_and(|of| scalar(&of))
        {
            found.push(format!("selectable field {path} cannot be one"));
        }
    }
}

/// The schema a path leads to.
fn at<'a>(version: &'a Value, path: &str) -> Option<&'a Value> {
    let mut schema = &version["schema"]["openAPIV3Schema"];
    for step in path.trim_start_matches('.').split('.') {
        let (field, list) = step.split_once('[').map_or((step, false), |(field, _)| (field, true));
        schema = schema["properties"].get(field).or_else(|| schema.get("additionalProperties"))?;
        if list {
            schema = schema.get("items")?;
        }
    }
    Some(schema)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::broken;

    #[test]
    fn every_rule_can_be_broken() {
        let sound = json!({
            "metadata": { "name": "things.x.dev" },
            "spec": {
                "group": "x.dev", "scope": "Namespaced",
                "names": { "plural": "things", "singular": "thing", "kind": "Thing", "shortNames": ["th"] },
                "versions": [{
                    "name": "v1", "served": true, "storage": true, "subresources": { "status": {} },
                    "additionalPrinterColumns": [{ "name": "A", "type": "string", "jsonPath": ".spec.a" }],
                    "selectableFields": [{ "jsonPath": ".spec.a" }],
                    "schema": { "openAPIV3Schema": { "properties": { "spec": { "properties": { "a": { "type": "string" } } } } } },
                }],
            },
        });
        assert_eq!(broken(&sound), Vec::<String>::new());
        for (path, value, words) in [
            ("/metadata/name", json!("thing.x.dev"), "plural.group"),
            ("/spec/group", json!("X"), "DNS name"),
            ("/spec/names/shortNames/0", json!("T_"), "DNS label"),
            ("/spec/scope", json!("Everywhere"), "scope"),
            ("/spec/versions/0/storage", json!(false), "exactly one"),
            ("/spec/versions/0/subresources", json!({}), "status subresource"),
            ("/spec/versions/0/additionalPrinterColumns/0/type", json!("text"), "is none"),
            ("/spec/versions/0/additionalPrinterColumns/0/jsonPath", json!(".spec.b"), "shows nothing"),
            ("/spec/versions/0/selectableFields/0/jsonPath", json!(".spec.b"), "cannot be one"),
        ] {
            let mut one = sound.clone();
            *one.pointer_mut(path).unwrap() = value;
            let found = broken(&one);
            assert!(found.iter().any(|said| said.contains(words)), "{words}: {found:?}");
        }
    }
}
