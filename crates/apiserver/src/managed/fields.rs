//! Sets of field paths, and their `FieldsV1` form.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A field or a map's key: `f:name`.
    Field(String),
    /// An item of a keyed list: `k:{"uid":"…"}`, the keys as JSON.
    Key(String),
    /// An item of a set: `v:"text"`, the value as JSON.
    Item(String),
}

pub type Path = Vec<Step>;

impl Step {
    fn to_v1(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(keys) => format!("k:{keys}"),
            Self::Item(value) => format!("v:{value}"),
        }
    }

    fn from_v1(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        match kind {
            "f" => Some(Self::Field(rest.to_owned())),
            "k" => Some(Self::Key(rest.to_owned())),
            "v" => Some(Self::Item(rest.to_owned())),
            _ => None,
        }
    }
}

/// `.spec.tags.a`, for messages.
pub fn shown(path: &[Step]) -> String {
    path.iter()
        .map(|step| match step {
            Step::Field(name) => format!(".{name}"),
            Step::Key(keys) => format!("[{keys}]"),
            Step::Item(value) => format!("[={value}]"),
        })
        .collect()
}

/// A set of owned paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSet(BTreeSet<Path>);

impl FieldSet {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, path: &[Step]) -> bool {
        self.0.contains(path)
    }

    /// Whether any owned path is `path` or lies below it.
    pub fn reaches_into(&self, path: &[Step]) -> bool {
        self.0.range(path.to_vec()..).next().is_some_and(|first| first.starts_with(path))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Path> {
        self.0.iter()
    }

    pub fn insert(&mut self, path: Path) {
        self.0.insert(path);
    }

    pub fn remove(&mut self, path: &[Step]) {
        self.0.remove(path);
    }

    /// Reads `FieldsV1`; what it does not understand is left out.
    pub fn from_v1(fields: &Value) -> Self {
        let mut set = Self::default();
        read(fields, &mut Vec::new(), &mut set);
        set
    }

    pub fn to_v1(&self) -> Value {
        let mut root = Map::new();
        for path in &self.0 {
            write(&mut root, path);
        }
        Value::Object(root)
    }
}

impl FromIterator<Path> for FieldSet {
    fn from_iter<I: IntoIterator<Item = Path>>(paths: I) -> Self {
        Self(paths.into_iter().collect())
    }
}

fn read(fields: &Value, path: &mut Path, set: &mut FieldSet) {
    let Some(fields) = fields.as_object() else { return };
    if !path.is_empty() && (fields.is_empty() || fields.contains_key(".")) {
        set.insert(path.clone());
    }
    for (name, inner) in fields {
        if let Some(step) = Step::from_v1(name) {
            path.push(step);
            read(inner, path, set);
            path.pop();
        }
    }
}

/// A path that is owned itself and has owned children is marked with `"."`.
fn write(root: &mut Map<String, Value>, path: &[Step]) {
    let mut level = root;
    for (depth, step) in path.iter().enumerate() {
        let is_new = !level.contains_key(&step.to_v1());
        let entry = level.entry(step.to_v1()).or_insert_with(|| json!({}));
        let Some(inner) = entry.as_object_mut() else { return };
        let goes_on = depth + 1 < path.len();
        // Paths come in order, parents first: an entry that is there and empty was owned itself.
        if goes_on && !is_new && inner.is_empty() {
            inner.insert(".".to_owned(), json!({}));
        }
        level = inner;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_v1_round_trips() {
        let v1 = json!({
            "f:spec": {"f:owner": {}, "f:tags": {".": {}, "f:a": {}}},
            "f:metadata": {"f:finalizers": {"v:\"x\"": {}}, "f:ownerReferences": {"k:{\"uid\":\"1\"}": {".": {}, "f:name": {}}}},
        });
        let set = FieldSet::from_v1(&v1);
        assert_eq!(set.to_v1(), v1);
        assert!(set.reaches_into(&[Step::Field("spec".into())]));
        assert!(!set.reaches_into(&[Step::Field("status".into())]));
    }
}
