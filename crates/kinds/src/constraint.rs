//! What every row of a dataset's table meets, whoever writes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::DatasetSpec;
use crate::validate::{FieldError, duplicates, not_empty};

const FIELD: &str = "spec.constraints";
const MOST: usize = 64;
const LONGEST_NAME: usize = 63;
/// Bytes of an expression.
const LONGEST: usize = 4 << 10;

/// A condition that is true of every row of the table: a CHECK constraint, which the table's Delta log has too, so that it binds
/// other writers as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Constraint {
    /// What errors call it, and the log: `delta.constraints.<name>`. Lower-case letters, digits and underscores, at most 63.
    pub name: String,
    /// A condition in SQL over the columns of one row: `amount >= 0`. A row for which it is false, or null, breaks it. No
    /// subqueries, no aggregates, nothing that differs from one call to the next.
    pub expression: String,
}

pub(crate) fn check(spec: &DatasetSpec) -> Vec<FieldError> {
    let constraints = &spec.constraints;
    let mut errors = duplicates(FIELD, constraints.iter().map(|constraint| constraint.name.as_str()));
    errors.extend(constraints.iter().enumerate().flat_map(|(at, constraint)| check_one(at, constraint)));
    if constraints.len() > MOST {
        errors.push(FieldError::new(FIELD, format!("must be {MOST} at most")));
    }
    errors
}

fn check_one(at: usize, constraint: &Constraint) -> Vec<FieldError> {
    let (name, expression) = (format!("{FIELD}[{at}].name"), format!("{FIELD}[{at}].expression"));
    let mut errors: Vec<_> = not_empty(&expression, &constraint.expression).into_iter().collect();
    if constraint.expression.len() > LONGEST {
        errors.push(FieldError::new(expression, format!("is longer than {LONGEST} bytes")));
    }
    if !is_name(&constraint.name) {
        let why = format!(
            "{:?} must be lower-case letters, digits and underscores, at most {LONGEST_NAME}, and begin with a letter",
            constraint.name
        );
        errors.push(FieldError::new(name, why));
    }
    errors
}

/// Writers fold names, each in its own way: these are the same in all of them.
fn is_name(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(is_word)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Validate;

    #[track_caller]
    fn check(constraints: Value, expect: &[&str]) {
        let spec = json!({ "owner": "care", "source": { "path": "x" }, "constraints": constraints,
            "schema": [{ "name": "age", "type": "int32" }] });
        let spec: DatasetSpec = serde_json::from_value(spec).unwrap();
        let fields: Vec<String> = spec.validate().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, expect);
    }

    fn named(name: &str) -> Value {
        json!({ "name": name, "expression": "age >= 0" })
    }

    #[test]
    fn a_constraint_has_a_name_that_all_writers_spell_alike_and_an_expression() {
        check(json!([named("age_is_possible"), named("a2")]), &[]);
        for name in ["", "Age", "_age", "2nd", "age-is", "age.is", "ägide", &"a".repeat(64)] {
            check(json!([named(name)]), &["spec.constraints[0].name"]);
        }
        check(json!([{ "name": "a", "expression": " " }]), &["spec.constraints[0].expression"]);
        check(json!([{ "name": "a", "expression": "x".repeat(4_097) }]), &["spec.constraints[0].expression"]);
    }

    #[test]
    fn constraints_are_told_apart_and_are_not_without_end() {
        check(json!([named("a"), named("a")]), &["spec.constraints"]);
        let many = |count: usize| (0..count).map(|n| named(&format!("c{n}"))).collect::<Vec<_>>();
        check(json!(many(64)), &[]);
        check(json!(many(65)), &["spec.constraints"]);
    }
}
