//! Rules of the kinds that it takes an engine to judge.

use bedplate_kinds::{DatasetSpec, FieldError};
use bedplate_query::constraint_errors;
use serde::Deserialize;
use serde_json::Value;

/// See [`bedplate_kinds::registry::MoreRules`]: what a Dataset says of its rows must be something they can be asked.
pub fn more_rules(kind: &str, spec: &Value) -> Vec<FieldError> {
    match kind {
        // A spec that is none was told of before.
        "Dataset" => DatasetSpec::deserialize(spec).map_or_else(|_| Vec::new(), |spec| constraint_errors(&spec)),
        _ => Vec::new(),
    }
}
