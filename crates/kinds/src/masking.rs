//! What of a dataset's rows is shown to whom: masks of columns and filters of rows, which bind everybody who has no right
//! to more.

use std::collections::{BTreeMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::validate::{FieldError, duplicates, not_empty};
use crate::{Classification, ColumnType, DatasetSpec};

/// The longest condition, in bytes.
const LONGEST: usize = 4 << 10;
const LONGEST_NAME: usize = 63;

/// How a column is shown to whoever may not `read-unmasked` it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ColumnMask {
    /// A column of `spec.schema`.
    pub column: String,
    pub mask: Mask,
    /// Of the column by itself, where it is not that of the dataset; policies read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification: Option<Classification>,
    /// Tags of the column for policies: `pii: email`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// What is there in place of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mask {
    /// No value.
    Nullify,
    /// The word REDACTED; for strings.
    Redact,
    /// A pseudonym: the same value has the same one in all datasets of the namespace, so that they still join. For strings
    /// and int64.
    Hash,
    /// The column is not there.
    Hide,
}

impl Mask {
    const fn fits(self, type_: ColumnType) -> bool {
        match self {
            Self::Nullify | Self::Hide => true,
            Self::Redact => matches!(type_, ColumnType::String),
            Self::Hash => matches!(type_, ColumnType::String | ColumnType::Int64),
        }
    }
}

/// Which rows are there for whoever may not `read-unfiltered`. Of several filters a row must pass all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RowFilter {
    /// What policies call it.
    pub name: String,
    /// A condition in SQL over the dataset's own columns: `consent AND region = 'eu'`. Rows for which it is not true are
    /// not there.
    #[serde(rename = "where")]
    pub condition: String,
}

pub(crate) fn check(spec: &DatasetSpec) -> Vec<FieldError> {
    let masks = spec.column_masks.iter();
    let filters = spec.row_filters.iter();
    let mut errors = duplicates("spec.columnMasks", masks.clone().map(|mask| mask.column.as_str()));
    errors.extend(duplicates("spec.rowFilters", filters.clone().map(|filter| filter.name.as_str())));
    errors.extend(masks.enumerate().filter_map(|(at, mask)| check_mask(at, mask, spec)));
    errors.extend(filters.enumerate().flat_map(|(at, filter)| check_filter(at, filter)));
    let hidden = spec.column_masks.iter().filter(|mask| mask.mask == Mask::Hide);
    let hidden: HashSet<&str> = hidden.map(|mask| mask.column.as_str()).collect();
    if !hidden.is_empty() && spec.schema.iter().all(|column| hidden.contains(column.name.as_str())) {
        errors.push(FieldError::new("spec.columnMasks", "hides every column: a table without columns is none"));
    }
    errors
}

fn check_mask(at: usize, mask: &ColumnMask, spec: &DatasetSpec) -> Option<FieldError> {
    let Some(column) = spec.column(&mask.column) else {
        let why = format!("{:?} is not a column of spec.schema", mask.column);
        return Some(FieldError::new(format!("spec.columnMasks[{at}].column"), why));
    };
    (!mask.mask.fits(column.type_)).then(|| {
        let why = format!("does not fit the column {:?}: its type would change; nullify it", mask.column);
        FieldError::new(format!("spec.columnMasks[{at}].mask"), why)
    })
}

fn check_filter(at: usize, filter: &RowFilter) -> Vec<FieldError> {
    let field = |part: &str| format!("spec.rowFilters[{at}].{part}");
    let mut errors: Vec<_> = not_empty(&field("where"), &filter.condition).into_iter().collect();
    if filter.condition.len() > LONGEST {
        errors.push(FieldError::new(field("where"), format!("is longer than {LONGEST} bytes")));
    }
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if filter.name.is_empty() || filter.name.len() > LONGEST_NAME || !filter.name.bytes().all(is_word) {
        errors.push(FieldError::new(field("name"), "must be lower-case letters, digits and hyphens, at most 63"));
    }
    errors
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Validate;

    #[track_caller]
    fn check(masks: Value, filters: Value, expect: &[&str]) {
        let spec = json!({ "owner": "care", "source": { "path": "x" }, "columnMasks": masks, "rowFilters": filters,
            "schema": [{ "name": "email", "type": "string" }, { "name": "age", "type": "int32" }] });
        let spec: DatasetSpec = serde_json::from_value(spec).unwrap();
        let fields: Vec<String> = spec.validate().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, expect);
    }

    #[test]
    fn a_mask_is_of_a_column_and_leaves_its_type() {
        check(json!([{ "column": "email", "mask": "hash", "tags": { "pii": "email" } }]), json!([]), &[]);
        check(json!([{ "column": "age", "mask": "nullify", "classification": "phi" }]), json!([]), &[]);
        check(json!([{ "column": "age", "mask": "hash" }]), json!([]), &["spec.columnMasks[0].mask"]);
        check(json!([{ "column": "mail", "mask": "hide" }]), json!([]), &["spec.columnMasks[0].column"]);
        let hide = |column| json!({ "column": column, "mask": "hide" });
        check(json!([hide("age"), hide("email")]), json!([]), &["spec.columnMasks"]);
        check(json!([hide("age"), hide("age")]), json!([]), &["spec.columnMasks"]);
    }

    #[test]
    fn a_filter_has_a_name_and_a_condition() {
        check(json!([]), json!([{ "name": "adults", "where": "age >= 18" }]), &[]);
        check(
            json!([]),
            json!([{ "name": "A b", "where": " " }]),
            &["spec.rowFilters[0].where", "spec.rowFilters[0].name"],
        );
    }
}
