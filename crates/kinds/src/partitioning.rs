//! By which columns a table may be parted into folders.

use crate::validate::{FieldError, duplicates};
use crate::{ColumnType, DatasetSpec};

/// Each is a folder in the folder before it.
const MOST_COLUMNS: usize = 4;
const FIELD: &str = "spec.partitionBy";

pub(crate) fn check(spec: &DatasetSpec) -> Vec<FieldError> {
    let names = &spec.partition_by;
    let mut errors = duplicates(FIELD, names.iter().map(String::as_str));
    errors.extend(names.iter().enumerate().filter_map(|(at, name)| column(spec, at, name)));
    if names.len() > MOST_COLUMNS {
        errors.push(FieldError::new(FIELD, format!("must name {MOST_COLUMNS} columns at most")));
    }
    if !names.is_empty() && spec.schema.iter().all(|column| names.contains(&column.name)) {
        errors.push(FieldError::new(FIELD, "must leave a column: those that are named are not in the files"));
    }
    errors
}

fn column(spec: &DatasetSpec, at: usize, name: &str) -> Option<FieldError> {
    let field = format!("{FIELD}[{at}]");
    match spec.column(name) {
        None => Some(FieldError::new(&field, format!("{name:?} is not a column of spec.schema"))),
        Some(column) if column.type_ == ColumnType::Float64 => {
            let why = "is of type float64, whose values are hardly ever the same: name a column of another type";
            Some(FieldError::new(&field, format!("{name:?} {why}")))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{DatasetSpec, Validate};

    #[track_caller]
    fn check(partition_by: serde_json::Value, expect: &[(&str, &str)]) {
        let schema = json!([{ "name": "day", "type": "timestamp" }, { "name": "country", "type": "string" },
            { "name": "speed", "type": "float64" }]);
        let spec = json!({ "owner": "a", "source": { "path": "x" }, "schema": schema, "partitionBy": partition_by });
        let found = serde_json::from_value::<DatasetSpec>(spec).unwrap().validate();
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), expect.len(), "{found:?}");
        for (found, (field, why)) in found.iter().zip(expect) {
            assert!(found.contains(field) && found.contains(why), "{found}");
        }
    }

    #[test]
    fn columns_that_part_a_table_are_declared_and_of_few_values() {
        check(json!([]), &[]);
        check(json!(["day", "country"]), &[]);
        check(json!(["nation"]), &[("spec.partitionBy[0]", "is not a column")]);
        check(json!(["country", "speed"]), &[("spec.partitionBy[1]", "float64")]);
        check(json!(["day", "day"]), &[("spec.partitionBy", "day")]);
        check(json!(["day", "country", "speed"]), &[("[2]", "float64"), ("spec.partitionBy", "leave a column")]);
    }
}
