//! A condition in SQL on the columns of one row, for `satisfies` checks and constraints: planned once, asked of every batch.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use bedplate_kinds::DatasetSpec;
use bedplate_lake::quality::RowCondition;
use bedplate_lake::schema::arrow_schema;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::TreeNode;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, Volatility};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::sql::sqlparser::ast::ExprWithAlias;

use super::{QueryError, session};
use crate::Lake;

#[derive(Debug)]
pub(crate) struct Condition(Arc<dyn PhysicalExpr>);

impl RowCondition for Condition {
    fn met(&self, batch: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let answer = self.0.evaluate(batch).and_then(|answer| answer.into_array(batch.num_rows()));
        let answer = answer.map_err(|error| ArrowError::ComputeError(error.strip_backtrace()))?;
        Ok(answer.as_boolean().clone())
    }
}

impl Lake {
    /// Plans a condition over the declared columns. SQL folds unquoted names to lower case.
    ///
    /// # Errors
    /// It cannot be read, names no column of the dataset, is not true or false, or is more than one row's own matter:
    /// subqueries, aggregates, and functions whose answer differs from one call to the next.
    pub fn condition(&self, spec: &DatasetSpec, sql: &str) -> Result<Arc<dyn RowCondition>, QueryError> {
        let state = session::new(self.runtime()).state();
        let dialect = state.config().options().sql_parser.dialect;
        let expr = state.sql_to_expr_with_alias(sql, &dialect).map_err(of)?;
        let why = format!("{sql}: a condition asks of one row what is the same each time it is asked");
        Ok(Arc::new(plan(&state, expr, &arrow_schema(spec), &why)?))
    }
}

/// Plans an expression over columns. `why` tells what is wrong with one that is more than one row's own matter.
pub(crate) fn plan(
    state: &SessionState,
    expr: ExprWithAlias,
    schema: &SchemaRef,
    why: &str,
) -> Result<Condition, QueryError> {
    let (columns, sql) = (DFSchema::try_from(schema.clone()).map_err(of)?, expr.to_string());
    let expr = state.create_logical_expr_from_sql_expr(expr, &columns).map_err(of)?;
    if expr.exists(|part| Ok(is_more_than_a_row(part))).map_err(of)? {
        return Err(QueryError::Failed { why: why.to_owned() });
    }
    let condition = state.create_physical_expr(expr, &columns).map_err(of)?;
    match condition.data_type(schema).map_err(of)? {
        DataType::Boolean => Ok(Condition(condition)),
        other => Err(QueryError::Failed { why: format!("{sql} is {other} and not true or false") }),
    }
}

fn of(error: DataFusionError) -> QueryError {
    QueryError::of(error, &[])
}

fn is_more_than_a_row(part: &Expr) -> bool {
    match part {
        Expr::ScalarFunction(call) => call.func.signature().volatility != Volatility::Immutable,
        Expr::AggregateFunction(_)
        | Expr::WindowFunction(_)
        | Expr::Exists(_)
        | Expr::InSubquery(_)
        | Expr::ScalarSubquery(_)
        | Expr::Placeholder(_) => true,
        _ => false,
    }
}
