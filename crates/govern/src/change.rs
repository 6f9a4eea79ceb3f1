//! A change, and whether a class is about it.

use std::collections::BTreeSet;

use bedplate_kinds::{ChangeOperation, ChangeSelector};
use bedplate_types::Digest;
use serde_json::Value;

/// One change of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub kind: String,
    /// `None` for what belongs to no namespace.
    pub namespace: Option<String>,
    pub name: String,
    pub operation: ChangeOperation,
    /// The object before; `Null` when there was none.
    pub old: Value,
    /// The object after; `Null` when it goes.
    pub new: Value,
    /// Dotted paths of what differs.
    pub touched: Vec<String>,
    /// Over operation, object before and object after.
    pub digest: Digest,
}

impl Change {
    /// `Endpoint prod/late`
    #[must_use]
    pub fn object(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}/{}", self.kind, self.name),
            None => format!("{} {}", self.kind, self.name),
        }
    }
}

/// Why `selector` is about the change, in words; `None` when it is not.
#[must_use]
pub fn selected(selector: &ChangeSelector, change: &Change) -> Option<String> {
    let kind = selector.kinds.is_empty() || selector.kinds.iter().any(|kind| kind.eq_ignore_ascii_case(&change.kind));
    let operation = selector.operations.is_empty() || selector.operations.contains(&change.operation);
    if !kind || !operation || !in_namespaces(selector, change) || !has_labels(selector, change) {
        return None;
    }
    let field = touched(selector, change)?;
    let value = valued(selector, change)?;
    let what = format!("{}s {}", change.operation.as_str(), change.object());
    let why: Vec<String> = [field, value].into_iter().filter(|text| !text.is_empty()).collect();
    Some(if why.is_empty() { what } else { format!("{what}: {}", why.join(", ")) })
}

/// A Namespace object is in itself.
fn in_namespaces(selector: &ChangeSelector, change: &Change) -> bool {
    let own = (change.kind == "Namespace").then_some(change.name.as_str());
    let namespace = change.namespace.as_deref().or(own);
    selector.namespaces.is_empty()
        || namespace.is_some_and(|namespace| selector.namespaces.iter().any(|pattern| fits(pattern, namespace)))
}

/// `prod-*` fits every name that begins with `prod-`.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    }
}

fn has_labels(selector: &ChangeSelector, change: &Change) -> bool {
    let has = |object: &Value| {
        let labels = &object["metadata"]["labels"];
        selector.labels.iter().all(|(name, value)| labels[name.as_str()] == value.as_str())
    };
    selector.labels.is_empty() || has(&change.old) || has(&change.new)
}

/// What is touched of the selector's fields; an empty text when it names none or the object as a whole comes or goes.
fn touched(selector: &ChangeSelector, change: &Change) -> Option<String> {
    if selector.fields.is_empty() || change.operation != ChangeOperation::Update {
        return Some(String::new());
    }
    let reaches = |path: &str, field: &str| path == field || below(path, field) || below(field, path);
    let hit: BTreeSet<&str> = change
        .touched
        .iter()
        .filter(|path| selector.fields.iter().any(|field| reaches(path, field)))
        .map(String::as_str)
        .collect();
    (!hit.is_empty()).then(|| format!("touches {}", hit.into_iter().collect::<Vec<_>>().join(", ")))
}

fn below(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.starts_with(['.', '[']))
}

/// The first value that each of the selector's paths has; `None` when one has none of those that are asked for.
fn valued(selector: &ChangeSelector, change: &Change) -> Option<String> {
    let mut found = Vec::new();
    for (path, values) in &selector.values {
        let hit = [&change.new, &change.old].into_iter().find_map(|object| {
            let value = text_at(object, path)?;
            values.contains(&value).then_some(value)
        })?;
        found.push(format!("{path} is {hit}"));
    }
    Some(found.join(", "))
}

fn text_at(object: &Value, path: &str) -> Option<String> {
    let value = path.split('.').try_fold(object, |value, step| value.get(step))?;
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(operation: ChangeOperation) -> Change {
        Change {
            kind: "Dataset".into(),
            namespace: Some("prod-eu".into()),
            name: "claims".into(),
            operation,
            old: json!({ "metadata": { "labels": { "tier": "gold" } }, "spec": { "classification": "restricted" } }),
            new: json!({ "metadata": {}, "spec": { "classification": "internal" } }),
            touched: vec!["spec.classification".into(), "spec.schema[0].name".into()],
            digest: Digest::from_sha256([0; 32]),
        }
    }

    fn check(selector: Value, expected: bool) {
        let told = selector.to_string();
        let selector: ChangeSelector = serde_json::from_value(selector).unwrap();
        let found = selected(&selector, &change(ChangeOperation::Update));
        assert_eq!(found.is_some(), expected, "{told}: {found:?}");
    }

    #[test]
    fn every_part_of_a_selector_narrows_it() {
        check(json!({}), true);
        check(json!({ "kinds": ["dataset"] }), true);
        check(json!({ "kinds": ["Endpoint"] }), false);
        check(json!({ "namespaces": ["prod-*"] }), true);
        check(json!({ "namespaces": ["prod"] }), false);
        check(json!({ "operations": ["create", "delete"] }), false);
        check(json!({ "labels": { "tier": "gold" } }), true);
        check(json!({ "labels": { "tier": "silver" } }), false);
        check(json!({ "fields": ["spec.classification"] }), true);
        check(json!({ "fields": ["spec.schema"] }), true);
        check(json!({ "fields": ["spec.sch"] }), false);
        check(json!({ "values": { "spec.classification": ["restricted"] } }), true);
        check(json!({ "values": { "spec.classification": ["public"] } }), false);
    }

    #[test]
    fn what_was_restricted_is_selected_although_it_no_longer_is() {
        let selector = serde_json::from_value(json!({ "values": { "spec.classification": ["restricted"] } })).unwrap();
        let why = selected(&selector, &change(ChangeOperation::Update)).unwrap();
        assert_eq!(why, "updates Dataset prod-eu/claims: spec.classification is restricted");
    }

    #[test]
    fn fields_do_not_narrow_what_comes_or_goes() {
        let selector = serde_json::from_value(json!({ "fields": ["spec.owner"] })).unwrap();
        assert_eq!(selected(&selector, &change(ChangeOperation::Update)), None);
        for operation in [ChangeOperation::Create, ChangeOperation::Delete] {
            assert!(selected(&selector, &change(operation)).is_some());
        }
    }
}
