//! The step of a plan that reads a dataset. It has no children: what is below it is no business of an optimiser, which would
//! move what a statement says below a filter or a mask, nor of `EXPLAIN`, which would tell where files are and what is in
//! them. Only where nothing binds do conditions and statistics pass.

use std::fmt;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, internal_err};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::filter_pushdown::{ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation};
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, StatisticsArgs,
};
use futures::StreamExt;

#[derive(Debug)]
pub(super) struct DatasetScan {
    below: Arc<dyn ExecutionPlan>,
    of: Arc<Told>,
    binds: bool,
    properties: Arc<PlanProperties>,
}

/// What is told of the dataset.
#[derive(Debug)]
pub(super) struct Told {
    pub dataset: String,
    pub text: String,
}

impl DatasetScan {
    /// Of a dataset that is shown as it is.
    pub fn open(below: Arc<dyn ExecutionPlan>, of: Arc<Told>) -> Self {
        let properties = below.properties().clone();
        Self { below, of, binds: false, properties }
    }

    /// Of a dataset that `below` shows a part of; `schema` is what is promised of it.
    pub fn bound(below: Arc<dyn ExecutionPlan>, schema: SchemaRef, of: Arc<Told>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            below.output_partitioning().clone(),
            below.pipeline_behavior(),
            below.boundedness(),
        );
        Self { below, of, binds: true, properties: Arc::new(properties) }
    }

    pub fn dataset(&self) -> &str {
        &self.of.dataset
    }

    /// Whether anything of it is kept back.
    pub fn binds(&self) -> bool {
        self.binds
    }

    /// What really reads.
    pub fn below(&self) -> &Arc<dyn ExecutionPlan> {
        &self.below
    }
}

impl DisplayAs for DatasetScan {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => write!(f, "DatasetScan: {}", self.of.text),
            DisplayFormatType::TreeRender => f.write_str(&self.of.text),
        }
    }
}

impl ExecutionPlan for DatasetScan {
    fn name(&self) -> &'static str {
        "DatasetScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("a dataset's scan has no children") }
    }

    fn repartitioned(&self, partitions: usize, config: &ConfigOptions) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if self.binds {
            return Ok(None);
        }
        let more = self.below.repartitioned(partitions, config)?;
        Ok(more.map(|below| Arc::new(Self::open(below, self.of.clone())) as _))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema = self.schema();
        let promised = schema.clone();
        let rows = self.below.execute(partition, context)?.map(move |batch| as_promised(&batch?, &promised));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        if self.binds { None } else { self.below.metrics() }
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        if self.binds {
            return Ok(Arc::new(Statistics::new_unknown(&self.schema())));
        }
        self.below.statistics_from_inputs(inputs, args)
    }

    fn handle_child_pushdown_result(
        &self,
        phase: FilterPushdownPhase,
        result: ChildPushdownResult,
        config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        if self.binds {
            return Ok(FilterPushdownPropagation::all_unsupported(result));
        }
        let pushed = self.below.handle_child_pushdown_result(phase, result, config)?;
        let updated_node = pushed.updated_node.map(|below| Arc::new(Self::open(below, self.of.clone())) as _);
        Ok(FilterPushdownPropagation { filters: pushed.filters, updated_node })
    }
}

/// Constants are known not to be null where the schema allows it.
fn as_promised(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema.clone(), batch.columns().to_vec(), &rows)?)
}
