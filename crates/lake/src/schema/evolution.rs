//! Whether rows of the declared columns can be added to a table that was loaded before.

use arrow::datatypes::Schema;
use bedplate_kinds::{Column, DatasetSpec, SchemaEvolution};
use bedplate_types::{ErrorKind, Explained};

use super::cast::found_name;
use super::{arrow_type, type_name};

/// Each column that differs, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was loaded with other columns than spec.schema has now: {}", .0.join("; "))]
pub struct ColumnsChanged(pub Vec<String>);

impl Explained for ColumnsChanged {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn fix(&self) -> Option<String> {
        Some(
            "say schemaEvolution: addColumns in spec.source when columns were added that are nullable; otherwise bedplate apply \
             with load: full, which replaces all rows, and then with the load it has now"
                .into(),
        )
    }
}

/// Columns may be in another order. One may be added where that is declared and it is nullable; nothing else may differ.
pub fn evolution(table: &Schema, spec: &DatasetSpec) -> Result<(), ColumnsChanged> {
    let gone = table.fields().iter().filter(|field| spec.column(field.name()).is_none());
    let mut changes: Vec<String> = gone.map(|field| format!("{} is gone", field.name())).collect();
    changes.extend(spec.schema.iter().filter_map(|column| change(table, column, spec.source.schema_evolution)));
    if changes.is_empty() { Ok(()) } else { Err(ColumnsChanged(changes)) }
}

fn change(table: &Schema, column: &Column, allowed: SchemaEvolution) -> Option<String> {
    let (name, declared) = (&column.name, type_name(column.type_));
    match table.field_with_name(name) {
        Ok(field) if *field.data_type() == arrow_type(column.type_) => None,
        Ok(field) => Some(format!("{name} was {} and is {declared}", found_name(field.data_type()))),
        Err(_) if !column.nullable => Some(format!("{name} ({declared}) is new and not nullable")),
        Err(_) if allowed == SchemaEvolution::AddColumns => None,
        Err(_) => Some(format!("{name} ({declared}) is new")),
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};
    use serde_json::json;

    use super::*;

    /// Against a table with the columns n (int64) and s (string).
    fn check(schema: serde_json::Value, evolves: bool, expect: &[&str]) {
        let evolution_ = if evolves { "addColumns" } else { "refuse" };
        let spec = json!({"owner": "a", "source": {"path": "x", "schemaEvolution": evolution_}, "schema": schema});
        let table = Schema::new(vec![Field::new("n", DataType::Int64, true), Field::new("s", DataType::Utf8, true)]);
        let found = evolution(&table, &serde_json::from_value(spec).unwrap());
        assert_eq!(found.err().map(|changed| changed.0).unwrap_or_default(), expect);
    }

    #[test]
    fn only_nullable_columns_come_and_only_where_that_is_declared() {
        let (n, s) = (json!({"name": "n", "type": "int64"}), json!({"name": "s", "type": "string"}));
        let (x, must) =
            (json!({"name": "x", "type": "float64"}), json!({"name": "x", "type": "int32", "nullable": false}));
        check(json!([s, n]), false, &[]);
        check(json!([n, s, x]), true, &[]);
        check(json!([n, s, x]), false, &["x (float64) is new"]);
        check(json!([n, s, must]), true, &["x (int32) is new and not nullable"]);
        check(json!([n]), true, &["s is gone"]);
        check(json!([{"name": "n", "type": "float64"}, s]), true, &["n was int64 and is float64"]);
    }
}
