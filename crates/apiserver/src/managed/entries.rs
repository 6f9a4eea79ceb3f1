//! The entries of `managedFields`: one per manager, operation and subresource.

use serde_json::{Value, json};

use super::fields::FieldSet;

/// Who writes, and as what.
#[derive(Clone, Debug)]
pub struct Author {
    pub manager: String,
    /// `bedplate.dev/v1alpha1`
    pub api_version: String,
    pub subresource: Option<&'static str>,
    /// RFC 3339.
    pub time: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub manager: String,
    pub operation: String,
    pub api_version: String,
    pub subresource: Option<String>,
    pub time: String,
    pub fields: FieldSet,
}

impl Entry {
    pub fn new(author: &Author, operation: &str) -> Self {
        Self {
            manager: author.manager.clone(),
            operation: operation.to_owned(),
            api_version: author.api_version.clone(),
            subresource: author.subresource.map(str::to_owned),
            time: author.time.clone(),
            fields: FieldSet::default(),
        }
    }

    pub fn is_of(&self, author: &Author, operation: &str) -> bool {
        self.manager == author.manager
            && self.operation == operation
            && self.api_version == author.api_version
            && self.subresource.as_deref() == author.subresource
    }

    fn read(value: &Value) -> Option<Self> {
        let text = |field: &str| value[field].as_str().map(str::to_owned);
        Some(Self {
            manager: text("manager")?,
            operation: text("operation")?,
            api_version: text("apiVersion").unwrap_or_default(),
            subresource: text("subresource"),
            time: text("time").unwrap_or_default(),
            fields: FieldSet::from_v1(&value["fieldsV1"]),
        })
    }

    fn to_json(&self) -> Value {
        let mut entry = json!({
            "manager": self.manager, "operation": self.operation, "apiVersion": self.api_version, "time": self.time,
            "fieldsType": "FieldsV1", "fieldsV1": self.fields.to_v1(),
        });
        if let Some(subresource) = &self.subresource {
            entry["subresource"] = subresource.as_str().into();
        }
        entry
    }
}

pub fn read(object: &Value) -> Vec<Entry> {
    let listed = object["metadata"]["managedFields"].as_array();
    listed.map(|entries| entries.iter().filter_map(Entry::read).collect()).unwrap_or_default()
}

/// Leaves out the entries that own nothing any more.
pub fn write(object: &mut Value, entries: &[Entry]) {
    let kept: Vec<Value> = entries.iter().filter(|entry| !entry.fields.is_empty()).map(Entry::to_json).collect();
    crate::meta::set(object, "managedFields", kept);
}

/// The entry of this author, made when there is none.
pub fn own<'a>(entries: &'a mut Vec<Entry>, author: &Author, operation: &str) -> &'a mut Entry {
    let at = entries.iter().position(|entry| entry.is_of(author, operation)).unwrap_or_else(|| {
        entries.push(Entry::new(author, operation));
        entries.len() - 1
    });
    &mut entries[at]
}

/// Whether nothing but the times of `managedFields` differs: such a write is no change.
pub fn same_but_for_times(old: &Value, new: &Value) -> bool {
    timeless(old) == timeless(new)
}

fn timeless(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(entries) = object["metadata"]["managedFields"].as_array_mut() {
        entries.iter_mut().for_each(|entry| entry["time"] = Value::Null);
    }
    object
}
