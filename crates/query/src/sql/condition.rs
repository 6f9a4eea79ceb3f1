//! A condition in SQL on the columns of one row, for `satisfies` checks: planned once, asked of every batch.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use bedplate_kinds::DatasetSpec;
use bedplate_lake::quality::RowCondition;
use bedplate_lake::schema::arrow_schema;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::TreeNode;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, Volatility};
use datafusion::physical_expr::PhysicalExpr;

use super::{QueryError, session};
use crate::Lake;

#[derive(Debug)]
struct Condition(Arc<dyn PhysicalExpr>);

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
        let schema = arrow_schema(spec);
        let context = session::new(self.runtime());
        let of = |error: DataFusionError| QueryError::of(error, &[]);
        let columns = DFSchema::try_from(schema.clone()).map_err(of)?;
        let expr = context.parse_sql_expr(sql, &columns).map_err(of)?;
        if expr.exists(|part| Ok(is_more_than_a_row(part))).map_err(of)? {
            let why = format!("{sql}: a condition asks of one row what is the same each time it is asked");
            return Err(QueryError::Failed { why });
        }
        let condition = context.create_physical_expr(expr, &columns).map_err(of)?;
        match condition.data_type(&schema).map_err(of)? {
            DataType::Boolean => Ok(Arc::new(Condition(condition))),
            other => Err(QueryError::Failed { why: format!("{sql} is {other} and not true or false") }),
        }
    }
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
