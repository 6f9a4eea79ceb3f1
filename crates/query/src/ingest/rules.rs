//! What a load's rows have to meet: what the dataset declares, and what other writers put into the table's log.

use std::sync::Arc;

use super::{Ingest, IngestError};
use crate::constraint::{ConstraintError, Constraints, Demands, Expressions, declared_by};
use crate::delta::{self, Layout, Table};

/// What the new version demands of its rows.
pub(super) struct Rules {
    /// By which the rows that come are judged.
    pub constraints: Arc<Constraints>,
    pub demands: Demands,
    /// What the rows that are there were not judged by yet.
    pub unproven: Demands,
    /// Those that the dataset declares.
    pub declared: Expressions,
}

impl Rules {
    pub fn of(ingest: &Ingest<'_>, layout: &Layout, table: Option<&Table>) -> Result<Self, IngestError> {
        let declared = declared_by(ingest.spec)?;
        let is = table.map(Table::demands).transpose()?.unwrap_or_default();
        let before = match table {
            Some(table) => delta::latest_record(&table.location)?.map(|record| record.constraints).unwrap_or_default(),
            None => Expressions::new(),
        };
        let mut demands = is.next(&before, &declared)?;
        demands.not_null.retain(|column| layout.schema.field_with_name(column).is_ok());
        let constraints =
            Constraints::compile(&demands, &layout.schema).map_err(|error| not_met(error, &declared, table))?;
        let unproven = demands.beyond(&is);
        Ok(Self { constraints: Arc::new(constraints), demands, unproven, declared })
    }
}

/// Another writer's constraint may name a column that the dataset does not have any more.
fn not_met(error: ConstraintError, declared: &Expressions, table: Option<&Table>) -> IngestError {
    match (&error, table) {
        (ConstraintError::Unsound { name, .. }, Some(table)) if !declared.contains_key(name) => {
            IngestError::Table(table.not_writable(error.to_string()))
        }
        _ => error.into(),
    }
}
