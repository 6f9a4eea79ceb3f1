//! Whose a field is: `metadata.managedFields`, read for a dotted path.

use bedplate_govern::FieldChange;
use serde_json::Value;

use crate::document::Owner;
use crate::planner::MANAGER;

/// Who has the value that is there, when that is not an apply of ours; who wrote it last, where several have it.
pub fn of(object: &Value, change: &FieldChange) -> Option<Owner> {
    let entries = object["metadata"]["managedFields"].as_array()?;
    let own = |entry: &&Value| entry["manager"] == MANAGER && entry["operation"] == "Apply";
    let holders = entries.iter().filter(|entry| !own(entry) && holds(&entry["fieldsV1"], &change.path));
    let last = holders.max_by_key(|entry| entry["time"].as_str().unwrap_or_default())?;
    let text = |field: &str| last[field].as_str().unwrap_or_default().to_owned();
    Some(Owner { manager: text("manager"), operation: text("operation"), time: text("time") })
}

/// Whether the set of fields has `path`, something above it that is owned as a whole, or something below it.
fn holds(fields: &Value, path: &str) -> bool {
    let Some(fields) = fields.as_object() else { return false };
    if path.is_empty() || fields.is_empty() {
        return true;
    }
    // Names may have dots of their own: the longest that fits is the one.
    let fits = |name: &String| {
        let name = name.strip_prefix("f:")?;
        let rest = path.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with(['.', '[', ' '])).then(|| (name.len(), rest.to_owned()))
    };
    let found = fields.iter().filter_map(|(name, inner)| fits(name).map(|found| (found, inner)));
    let Some(((_, rest), inner)) = found.max_by_key(|((length, _), _)| *length) else { return false };
    // Items of lists have owners of their own only where the schema has keys; the list as a whole stands for them.
    match rest.strip_prefix('.') {
        Some(rest) => holds(inner, rest),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object() -> Value {
        let entry = |manager: &str, operation: &str, time: &str, fields: Value| json!({ "manager": manager, "operation": operation, "time": time, "fieldsV1": fields });
        json!({ "metadata": { "managedFields": [
            entry("bedplate", "Apply", "2026-01-01T00:00:00Z", json!({"f:spec": {"f:a": {}, "f:list": {}}})),
            entry("kubectl-edit", "Update", "2026-01-02T00:00:00Z", json!({"f:spec": {"f:b": {"f:c": {}}, "f:list": {}}})),
            entry("script", "Update", "2026-01-03T00:00:00Z", json!({"f:metadata": {"f:labels": {"f:x.dev/y": {}}}})),
        ] } })
    }

    #[test]
    fn the_owner_of_a_path_is_found_above_at_and_below_it() {
        let owner = |path: &str| {
            let change = FieldChange { path: path.into(), before: None, after: None };
            of(&object(), &change).map(|owner| owner.manager)
        };
        assert_eq!(owner("spec.a"), None);
        assert_eq!(owner("spec.b.c").as_deref(), Some("kubectl-edit"));
        assert_eq!(owner("spec.b").as_deref(), Some("kubectl-edit"));
        assert_eq!(owner("spec.list[one].v").as_deref(), Some("kubectl-edit"));
        assert_eq!(owner("metadata.labels.x.dev/y").as_deref(), Some("script"));
        assert_eq!(owner("spec.other"), None);
    }
}
