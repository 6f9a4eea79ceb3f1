//! A dataset as a statement may see it. The mask of a column takes its place, and filters keep rows away, before anything
//! the statement says is worked out.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use bedplate_kinds::Mask;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, plan_datafusion_err};
use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType, utils::conjunction};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;

use super::mask::{Key, masked, unmasked};
use super::scan::{DatasetScan, Told};
use super::{ReadError, Readable};

#[derive(Debug)]
pub(super) struct Guarded {
    whole: Arc<dyn TableProvider>,
    schema: SchemaRef,
    shown: Vec<Shown>,
    filter: Option<Expr>,
    of: Arc<Told>,
}

/// A column that is there.
#[derive(Debug)]
struct Shown {
    /// Where the table has it.
    place: usize,
    name: String,
    expression: Expr,
    is_masked: bool,
}

impl Guarded {
    /// `whole` as `readable` opens it. A column that the table has not is not there; a filter that cannot be applied is an
    /// error.
    pub fn new(
        whole: Arc<dyn TableProvider>,
        readable: &Readable,
        state: &SessionState,
        key: &Key,
    ) -> Result<Self, ReadError> {
        let has = whole.schema();
        let (mut shown, mut fields) = (Vec::new(), Vec::new());
        for column in readable.columns.iter().filter(|column| column.mask != Some(Mask::Hide)) {
            let Ok(place) = has.index_of(&column.name) else { continue };
            let field = has.field(place);
            let expression = match column.mask {
                None => unmasked(&column.name),
                Some(mask) => masked(mask, &column.name, field.data_type(), key).map_err(ReadError::of)?,
            };
            let is_masked = column.mask.is_some();
            fields.push(Field::new(&column.name, field.data_type().clone(), is_masked || field.is_nullable()));
            shown.push(Shown { place, name: column.name.clone(), expression, is_masked });
        }
        let filter = filter(readable, &has, state)?;
        Ok(Self { whole, schema: Arc::new(Schema::new(fields)), shown, filter, of: told(readable) })
    }

    /// Whether anything of what is there is kept back.
    fn binds(&self) -> bool {
        self.filter.is_some() || self.shown.iter().any(|column| column.is_masked)
    }

    fn projected(&self, projection: Option<&Vec<usize>>) -> Result<Vec<&Shown>> {
        let Some(projection) = projection else { return Ok(self.shown.iter().collect()) };
        let at =
            |place: &usize| self.shown.get(*place).ok_or_else(|| plan_datafusion_err!("there is no column {place}"));
        projection.iter().map(at).collect()
    }

    /// The columns of the table that the answer is made of.
    fn needed(&self, shown: &[&Shown]) -> Result<Vec<usize>> {
        let has = self.whole.schema();
        let expressions = shown.iter().map(|column| &column.expression).chain(&self.filter);
        let columns = expressions.flat_map(Expr::column_refs);
        let places: BTreeSet<usize> = columns.map(|column| has.index_of(&column.name)).collect::<Result<_, _>>()?;
        Ok(places.into_iter().collect())
    }

    async fn scan_bound(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let shown = self.projected(projection)?;
        let needed = self.needed(&shown)?;
        // A limit counts what passes the filter.
        let limit = limit.filter(|_| self.filter.is_none());
        let mut plan = self.whole.scan(state, Some(&needed), &[], limit).await?;
        let has = DFSchema::try_from(plan.schema())?;
        if let Some(filter) = &self.filter {
            plan = Arc::new(FilterExec::try_new(state.create_physical_expr(filter.clone(), &has)?, plan)?);
        }
        let physical =
            |column: &&Shown| Ok((state.create_physical_expr(column.expression.clone(), &has)?, column.name.clone()));
        let expressions = shown.iter().map(physical).collect::<Result<Vec<_>>>()?;
        let plan = Arc::new(ProjectionExec::try_new(expressions, plan)?);
        let schema = match projection {
            Some(projection) => Arc::new(self.schema.project(projection)?),
            None => self.schema.clone(),
        };
        Ok(Arc::new(DatasetScan::bound(plan, schema, self.of.clone())))
    }
}

fn told(readable: &Readable) -> Arc<Told> {
    Arc::new(Told { dataset: readable.dataset.clone(), text: readable.told() })
}

/// What every row must meet.
fn filter(readable: &Readable, has: &SchemaRef, state: &SessionState) -> Result<Option<Expr>, ReadError> {
    let wrong = |filter: &String, why: String| {
        let (dataset, filter) = (readable.dataset.clone(), filter.clone());
        ReadError::Filter { dataset, filter, why }
    };
    let mut conditions = Vec::new();
    for filter in &readable.filters {
        let has = DFSchema::try_from(has.clone()).map_err(|error| wrong(filter, error.strip_backtrace()))?;
        let condition = state.create_logical_expr(filter, &has);
        let condition = condition.map_err(|error| wrong(filter, error.strip_backtrace()))?;
        state
            .create_physical_expr(condition.clone(), &has)
            .and_then(|physical| physical.data_type(has.as_arrow()))
            .map_err(|error| error.strip_backtrace())
            .and_then(|type_| match type_ {
                arrow::datatypes::DataType::Boolean => Ok(()),
                other => Err(format!("it is {other} and no condition")),
            })
            .map_err(|why| wrong(filter, why))?;
        conditions.push(condition);
    }
    Ok(conjunction(conditions))
}

#[async_trait]
impl TableProvider for Guarded {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// A condition on what is kept back would tell of it by how it fails, or by what is not read.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let answer = match self.binds() {
            true => TableProviderFilterPushDown::Unsupported,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(vec![answer; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if self.binds() {
            return self.scan_bound(state, projection, limit).await;
        }
        let places: Vec<usize> = self.projected(projection)?.iter().map(|column| column.place).collect();
        let plan = self.whole.scan(state, Some(&places), filters, limit).await?;
        Ok(Arc::new(DatasetScan::open(plan, self.of.clone())))
    }
}
