//! The server's table (`meta.k8s.io/v1 Table`): columns with priorities, rows with cells and their object's metadata.

use kube::core::ObjectMeta;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Table {
    pub metadata: TableMeta,
    pub column_definitions: Vec<Column>,
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TableMeta {
    pub resource_version: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Column {
    pub name: String,
    /// Columns above 0 are shown by `-o wide` only.
    pub priority: i32,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Row {
    pub cells: Vec<Value>,
    pub object: RowObject,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RowObject {
    pub metadata: ObjectMeta,
}

impl Table {
    /// The header and the rows as text: what a person sees.
    #[must_use]
    pub fn texts(&self, wide: bool, with_namespace: bool) -> (Vec<String>, Vec<Vec<String>>) {
        let shown: Vec<usize> =
            (0..self.column_definitions.len()).filter(|&i| wide || self.column_definitions[i].priority == 0).collect();
        let mut header: Vec<String> = shown.iter().map(|&i| self.column_definitions[i].name.to_uppercase()).collect();
        let mut rows: Vec<Vec<String>> = self.rows.iter().map(|row| row.texts(&shown)).collect();
        if with_namespace {
            header.insert(0, "NAMESPACE".into());
            for (texts, row) in rows.iter_mut().zip(&self.rows) {
                texts.insert(0, row.object.metadata.namespace.clone().unwrap_or_default());
            }
        }
        (header, rows)
    }
}

impl Row {
    fn texts(&self, shown: &[usize]) -> Vec<String> {
        shown.iter().map(|&i| self.cells.get(i).map_or_else(String::new, text)).collect()
    }
}

/// A cell as `kubectl` shows it.
fn text(cell: &Value) -> String {
    match cell {
        Value::Null => "<none>".into(),
        Value::String(text) if text.is_empty() => "<none>".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
pub mod tests {
    use serde_json::json;

    use super::*;

    pub fn datasets() -> Table {
        serde_json::from_value(json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": { "resourceVersion": "42" },
            "columnDefinitions": [
                { "name": "Name", "type": "string", "format": "name", "priority": 0 },
                { "name": "Phase", "type": "string", "priority": 0 },
                { "name": "Owner", "type": "string", "priority": 1 }],
            "rows": [
                { "cells": ["flights", "Ready", "ops"], "object": { "metadata": { "name": "flights", "namespace": "demo" } } },
                { "cells": ["weather", null, "ops"], "object": { "metadata": { "name": "weather", "namespace": "demo" } } }]
        }))
        .unwrap()
    }

    #[test]
    fn wide_shows_every_column_and_all_namespaces_say_which() {
        let (header, rows) = datasets().texts(false, false);
        assert_eq!(header, ["NAME", "PHASE"]);
        assert_eq!(rows[1], ["weather", "<none>"]);
        let (header, rows) = datasets().texts(true, true);
        assert_eq!(header, ["NAMESPACE", "NAME", "PHASE", "OWNER"]);
        assert_eq!(rows[0], ["demo", "flights", "Ready", "ops"]);
    }
}
