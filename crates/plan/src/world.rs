//! The objects as they would be: what is stored, with what a plan makes of it.

use std::collections::BTreeMap;

use serde_json::Value;

/// The kinds a plan looks at to place and price.
pub const KINDS: [&str; 9] =
    ["Site", "Budget", "Dataset", "FeatureView", "FeatureService", "TrainingRecipe", "Workload", "Endpoint", "Quota"];

/// (kind, namespace, name).
pub type Name = (String, String, String);

/// Objects by name.
#[derive(Clone, Debug, Default)]
pub struct World(BTreeMap<Name, Value>);

impl World {
    pub fn put(&mut self, object: Value) {
        self.0.insert(name_of(&object), object);
    }

    pub fn take(&mut self, name: &Name) {
        self.0.remove(name);
    }

    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<&Value> {
        self.0.get(&(kind.to_owned(), namespace.to_owned(), name.to_owned()))
    }

    pub fn all<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a Name, &'a Value)> {
        self.0.iter().filter(move |((of, _, _), _)| of == kind)
    }
}

pub fn name_of(object: &Value) -> Name {
    let metadata = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    (object["kind"].as_str().unwrap_or_default().to_owned(), metadata("namespace"), metadata("name"))
}

/// `Endpoint prod/late`
pub fn shown((kind, namespace, name): &Name) -> String {
    if namespace.is_empty() { format!("{kind} {name}") } else { format!("{kind} {namespace}/{name}") }
}
