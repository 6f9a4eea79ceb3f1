//! Whether what a dataset declares can be asked of its rows, said before it is stored.

use bedplate_kinds::{DatasetSpec, FieldError};
use bedplate_lake::schema::arrow_schema;

use super::compiled::declared;
use super::{ConstraintError, Expressions};

/// Every constraint of a dataset that is no condition on one row of its columns, with the reason.
#[must_use]
pub fn constraint_errors(spec: &DatasetSpec) -> Vec<FieldError> {
    let schema = arrow_schema(spec);
    let judged = spec.constraints.iter().enumerate().filter_map(|(at, constraint)| {
        let error = declared(std::slice::from_ref(constraint), &schema).err()?;
        Some(FieldError::new(format!("spec.constraints[{at}].expression"), error.to_string()))
    });
    judged.collect()
}

/// What a dataset declares, as the log is to have it.
pub(crate) fn of(spec: &DatasetSpec) -> Result<Expressions, ConstraintError> {
    declared(&spec.constraints, &arrow_schema(spec))
}
