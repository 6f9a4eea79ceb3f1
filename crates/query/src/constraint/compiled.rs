//! Constraints that can be asked of rows.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::util::display::array_value_to_string;
use bedplate_kinds::Constraint;
use bedplate_lake::quality::RowCondition;
use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::ast::ExprWithAlias;

use super::text::{self, Writer};
use super::{ConstraintError, Demands, Expressions};
use crate::sql::{condition, session};

/// Bytes of a value that are told.
const SHOWN: usize = 60;

/// All that is demanded of the rows of a table, for batches of one schema.
#[derive(Debug, Default)]
pub(crate) struct Constraints(Vec<Compiled>);

#[derive(Debug)]
pub(super) struct Compiled {
    pub name: String,
    pub expression: String,
    condition: Arc<dyn RowCondition>,
    /// The columns it names, as they are in the schema.
    columns: Vec<usize>,
}

impl Constraints {
    /// # Errors
    /// [`ConstraintError::Unsound`] of the first that cannot be understood.
    pub fn compile(demands: &Demands, schema: &SchemaRef) -> Result<Self, ConstraintError> {
        if demands.is_empty() {
            return Ok(Self::default());
        }
        let (state, schema) = (session::bare().state(), nullable(schema));
        let not_null = demands.not_null.iter().map(|column| {
            let expression = format!("`{}` IS NOT NULL", column.replace('`', "``"));
            (format!("{column} is not nullable"), expression)
        });
        let checks = demands.checks.iter().map(|(name, expression)| (name.clone(), expression.clone()));
        let all = checks.chain(not_null).map(|(name, expression)| compile(&state, name, expression, &schema));
        Ok(Self(all.collect::<Result<_, _>>()?))
    }

    pub(super) fn all(&self) -> &[Compiled] {
        &self.0
    }

    /// The columns that any of them names.
    pub fn columns(&self) -> BTreeSet<usize> {
        self.0.iter().flat_map(|one| one.columns.iter().copied()).collect()
    }

    /// Those that rows of the batch break, by their places, with the rows. `which` rows these are, is for people.
    pub fn broken(
        &self,
        batch: &RecordBatch,
        which: &'static str,
    ) -> Result<Vec<(usize, BooleanBuffer)>, ConstraintError> {
        let mut broken = Vec::new();
        for (place, one) in self.0.iter().enumerate() {
            let rows = one.breaking(batch, which)?;
            if rows.count_set_bits() > 0 {
                broken.push((place, rows));
            }
        }
        Ok(broken)
    }
}

impl Compiled {
    /// The rows for which it is not true: it is false, or null.
    fn breaking(&self, batch: &RecordBatch, which: &'static str) -> Result<BooleanBuffer, ConstraintError> {
        let met = self.condition.met(batch).map_err(|error| ConstraintError::Unanswered {
            name: self.name.clone(),
            expression: self.expression.clone(),
            which,
            why: error.to_string(),
        })?;
        let is_true = match met.nulls() {
            Some(nulls) => met.values() & nulls.inner(),
            None => met.values().clone(),
        };
        Ok(!&is_true)
    }

    /// `column value` for each column that it names.
    pub fn values(&self, batch: &RecordBatch, row: usize) -> String {
        let mut told = String::new();
        for column in &self.columns {
            let (schema, array) = (batch.schema_ref(), batch.column(*column));
            let value = if array.is_null(row) { Ok("null".to_owned()) } else { array_value_to_string(array, row) };
            let separator = if told.is_empty() { "" } else { ", " };
            // Writing to a string does not fail.
            let _ = write!(
                told,
                "{separator}{} {}",
                schema.field(*column).name(),
                cut(value.unwrap_or_else(|_| "?".into()))
            );
        }
        told
    }
}

/// What a schema says of nulls would be taken for granted, and it is what is to be found out.
fn nullable(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn cut(text: String) -> String {
    match text.char_indices().find(|(at, _)| *at >= SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn compile(
    state: &SessionState,
    name: String,
    expression: String,
    schema: &SchemaRef,
) -> Result<Compiled, ConstraintError> {
    match planned(state, &expression, schema) {
        Ok((condition, columns)) => Ok(Compiled { name, expression, condition, columns }),
        Err(why) => Err(ConstraintError::Unsound { name, expression, why }),
    }
}

fn planned(
    state: &SessionState,
    expression: &str,
    schema: &SchemaRef,
) -> Result<(Arc<dyn RowCondition>, Vec<usize>), String> {
    let expr = text::read(state, expression, schema, Writer::Log)?;
    let columns = text::named(&expr, schema);
    let expr = ExprWithAlias { expr, alias: None };
    let condition = condition::plan(state, expr, schema, ConstraintError::OF_ONE_ROW).map_err(text::why)?;
    Ok((Arc::new(condition), columns))
}

/// What a dataset declares, as the log is to have it.
///
/// # Errors
/// [`ConstraintError::Unsound`] of the first that is no condition on a row of these columns.
pub(super) fn declared(constraints: &[Constraint], schema: &Schema) -> Result<Expressions, ConstraintError> {
    let mut declared = Expressions::new();
    if constraints.is_empty() {
        return Ok(declared);
    }
    let state = session::bare().state();
    let schema = Arc::new(schema.clone());
    for constraint in constraints {
        let unsound = |why| ConstraintError::Unsound {
            name: constraint.name.clone(),
            expression: constraint.expression.clone(),
            why,
        };
        let text = text::canonical(&state, &constraint.expression, &schema).map_err(unsound)?;
        planned(&state, &text, &schema).map_err(unsound)?;
        declared.insert(constraint.name.clone(), text);
    }
    Ok(declared)
}
