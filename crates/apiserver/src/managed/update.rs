//! Ownership after any write that is not an apply.

use serde_json::Value;

use super::entries::{self, Author};
use super::leaves::difference;

/// Notes in `new` that `author` changed what differs from `old` (`Null` for a new object).
pub fn note_update(old: &Value, new: &mut Value, author: &Author, schema: &Value) {
    // A client may edit the entries themselves; kubectl does so when it moves from client-side to server-side apply.
    let given = new["metadata"]["managedFields"].is_array();
    let mut entries = entries::read(if given { &*new } else { old });
    let difference = difference(old, new, schema);
    if !difference.is_empty() {
        for entry in &mut entries {
            difference.removed.iter().chain(difference.set.iter()).for_each(|path| entry.fields.remove(path));
        }
    }
    if !difference.set.is_empty() {
        let own = entries::own(&mut entries, author, "Update");
        difference.set.iter().for_each(|path| own.fields.insert(path.clone()));
        own.time.clone_from(&author.time);
    }
    entries::write(new, &entries);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn author(manager: &str) -> Author {
        Author { manager: manager.into(), api_version: "g/v".into(), subresource: None, time: "t".into() }
    }

    #[test]
    fn the_last_writer_of_a_field_owns_it() {
        let mut first = json!({"spec": {"a": 1, "b": 1}});
        note_update(&Value::Null, &mut first, &author("one"), &Value::Null);
        let mut second = json!({"spec": {"a": 2, "b": 1}});
        note_update(&first, &mut second, &author("two"), &Value::Null);
        let owned: Vec<_> = second["metadata"]["managedFields"].as_array().unwrap().iter().collect();
        assert_eq!(owned[0]["fieldsV1"], json!({"f:spec": {"f:b": {}}}));
        assert_eq!((&owned[1]["manager"], &owned[1]["fieldsV1"]), (&json!("two"), &json!({"f:spec": {"f:a": {}}})));
    }
}
