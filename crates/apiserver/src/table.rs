//! Tables, as kubectl asks for them: columns from the printer columns of a kind, cells by JSONPath.

use bedplate_types::Timestamp;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::jsonpath::JsonPath;
use crate::meta;

/// One column of a table.
#[derive(Clone)]
pub struct Column {
    name: String,
    type_: String,
    format: &'static str,
    /// 0 is always shown, more only with `-o wide`.
    priority: i32,
    cell: Cell,
}

#[derive(Clone)]
enum Cell {
    Path(JsonPath),
    /// Time since the first of these fields that is set.
    Since(&'static [&'static str]),
    /// How many entries these maps have together.
    Count(&'static [&'static str]),
    /// `kind/name` of an object reference.
    Reference(&'static str),
    Name,
    Age,
}

impl Column {
    /// A printer column; refuses a path outside the subset of [`JsonPath`].
    pub fn path(name: &str, type_: &str, path: &str, priority: i32) -> Result<Self, ApiError> {
        let path = JsonPath::parse(path)
            .ok_or_else(|| ApiError::Internal(format!("column {name}: the path {path:?} is not understood")))?;
        Ok(Self { name: name.to_owned(), type_: type_.to_owned(), format: "", priority, cell: Cell::Path(path) })
    }

    /// A column of the server's own, whose path is known to be sound.
    pub fn text(name: &str, type_: &str, path: &str) -> Self {
        Self::path(name, type_, path, 0).expect("the paths written in this crate are sound")
    }

    pub fn name() -> Self {
        Self { format: "name", ..Self::of("Name", "string", Cell::Name) }
    }

    /// The same column, shown only with `-o wide`.
    pub fn wide(self) -> Self {
        Self { priority: 1, ..self }
    }

    pub fn age() -> Self {
        Self::of("Age", "string", Cell::Age)
    }

    pub fn since(name: &str, fields: &'static [&'static str]) -> Self {
        Self::of(name, "string", Cell::Since(fields))
    }

    pub fn count(name: &str, fields: &'static [&'static str]) -> Self {
        Self::of(name, "integer", Cell::Count(fields))
    }

    pub fn reference(name: &str, field: &'static str) -> Self {
        Self::of(name, "string", Cell::Reference(field))
    }

    fn of(name: &str, type_: &str, cell: Cell) -> Self {
        Self { name: name.to_owned(), type_: type_.to_owned(), format: "", priority: 0, cell }
    }

    fn definition(&self) -> Value {
        json!({ "name": self.name, "type": self.type_, "format": self.format, "description": "", "priority": self.priority })
    }

    fn cell(&self, object: &Value, now: Timestamp) -> Value {
        match &self.cell {
            Cell::Path(path) => shown(&path.find(object), &self.type_, now),
            Cell::Since(fields) => {
                let set = fields.iter().find_map(|field| object[*field].as_str());
                set.map_or_else(|| "<unknown>".into(), |time| since(time, now).into())
            }
            Cell::Count(fields) => {
                let maps = fields.iter().filter_map(|field| object[*field].as_object());
                maps.map(serde_json::Map::len).sum::<usize>().into()
            }
            Cell::Reference(field) => {
                let part = |name: &str| object[*field][name].as_str().unwrap_or_default();
                format!("{}/{}", part("kind").to_lowercase(), part("name")).into()
            }
            Cell::Name => meta::name(object).into(),
            Cell::Age => since(meta::text(object, "creationTimestamp").unwrap_or_default(), now).into(),
        }
    }
}

/// A table of `objects` in the resource's columns; `header` false leaves out the definitions, as later watch events do.
pub fn table(
    columns: &[Column],
    objects: &[Value],
    header: bool,
    include: &str,
    metadata: Value,
    now: Timestamp,
) -> Value {
    let rows: Vec<Value> = objects.iter().map(|object| row(columns, object, include, now)).collect();
    let definitions = if header { columns.iter().map(Column::definition).collect() } else { Value::Null };
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        "columnDefinitions": definitions, "rows": rows,
    })
}

fn row(columns: &[Column], object: &Value, include: &str, now: Timestamp) -> Value {
    let cells: Vec<Value> = columns.iter().map(|column| column.cell(object, now)).collect();
    let object = match include {
        "None" => Value::Null,
        "Object" => object.clone(),
        _ => partial(object),
    };
    json!({ "cells": cells, "object": object })
}

/// The object reduced to its metadata.
pub fn partial(object: &Value) -> Value {
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"] })
}

fn shown(found: &[&Value], type_: &str, now: Timestamp) -> Value {
    match found {
        [] | [Value::Null] => Value::Null,
        [Value::String(time)] if type_ == "date" => since(time, now).into(),
        [single @ (Value::Number(_) | Value::Bool(_) | Value::String(_))] => (*single).clone(),
        many => many.iter().map(|value| plain(value)).collect::<Vec<_>>().join(",").into(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The age of an instant, as kubectl writes it: `45s`, `3m20s`, `5h`, `12d`.
fn since(time: &str, now: Timestamp) -> String {
    let Ok(time) = time.parse::<Timestamp>() else { return "<unknown>".to_owned() };
    let seconds = (now.micros_since(time) / 1_000_000).max(0);
    let with_rest = |unit: i64, name: &str, smaller: i64, smaller_name: &str| match (seconds % unit) / smaller {
        0 => format!("{}{name}", seconds / unit),
        rest => format!("{}{name}{rest}{smaller_name}", seconds / unit),
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => with_rest(60, "m", 1, "s"),
        600..10_800 => format!("{}m", seconds / 60),
        10_800..28_800 => with_rest(3_600, "h", 60, "m"),
        28_800..172_800 => format!("{}h", seconds / 3_600),
        172_800..691_200 => with_rest(86_400, "d", 3_600, "h"),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_as_kubectl_writes_them() {
        let at = |seconds: i64| since("1970-01-01T00:00:00Z", Timestamp::from_micros(seconds * 1_000_000));
        let ages = [(45, "45s"), (200, "3m20s"), (1_200, "20m"), (18_000, "5h"), (108_000, "30h"), (1_036_800, "12d")];
        for (seconds, expected) in ages {
            assert_eq!(at(seconds), expected);
        }
        assert_eq!(since("never", Timestamp::default()), "<unknown>");
    }

    #[test]
    fn cells_follow_the_columns() {
        let columns = [Column::name(), Column::text("All", "string", ".list[*].x"), Column::count("Data", &["data"])];
        let object = json!({"metadata": {"name": "a"}, "list": [{"x": "1"}, {"x": 2}], "data": {"k": "v"}});
        let table = table(&columns, &[object], true, "Metadata", json!({}), Timestamp::default());
        assert_eq!(table["rows"][0]["cells"], json!(["a", "1,2", 1]));
        assert_eq!(table["columnDefinitions"][0]["format"], "name");
        assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    }
}
