//! What a plan does not show: what a Secret holds, wherever it holds it.

use bedplate_govern::FieldChange;
use serde_json::Value;

const MASK: &str = "(not shown)";

/// The change as it may be shown. Of a Secret only which keys come, go or change is told.
pub fn of(kind: &str, mut change: FieldChange) -> FieldChange {
    // Annotations too: kubectl keeps the whole of what it applied in one.
    let hides = ["data", "stringData", "metadata.annotations"];
    let below =
        |root: &&str| change.path.strip_prefix(*root).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    if kind == "Secret" && hides.iter().any(below) {
        change.before = change.before.map(|_| Value::from(MASK));
        change.after = change.after.map(|_| Value::from(MASK));
    }
    change
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_secret_holds_is_hidden() {
        let change = |path: &str| FieldChange { path: path.into(), before: None, after: Some("hunter2".into()) };
        for path in ["data.password", "stringData.password", "data", "metadata.annotations.note"] {
            assert_eq!(of("Secret", change(path)).after, Some(MASK.into()), "{path}");
            assert_eq!(of("Secret", change(path)).before, None, "{path}");
        }
        assert_eq!(of("Secret", change("type")).after, Some("hunter2".into()));
        assert_eq!(of("ConfigMap", change("data.password")).after, Some("hunter2".into()));
    }
}
