//! A dataset's scan as it travels. Other than the one that is planned with, it shows what it reads: a scheduler gives each
//! task the files of its part, and without that every task would read the whole table. It stays a step of its own, below which
//! no condition is moved.

use std::fmt;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Statistics, internal_err};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, StatisticsArgs,
};
use futures::StreamExt;
use serde::{Deserialize, Serialize};

use super::super::scan::DatasetScan;

pub(super) const NAME: &str = "DatasetScan";

/// What is said of the scan beside what it reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Label {
    pub dataset: String,
    /// Whether each column may be null, as it was promised when the statement was planned.
    pub nullable: Vec<bool>,
    /// Whether anything of the dataset is kept back.
    pub binds: bool,
}

#[derive(Debug)]
pub(super) struct SentScan {
    below: Arc<dyn ExecutionPlan>,
    label: Label,
    properties: Arc<PlanProperties>,
}

/// The plan with every scan of a dataset as it travels.
pub(super) fn sent(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let open = |node: Arc<dyn ExecutionPlan>| match node.downcast_ref::<DatasetScan>() {
        Some(scan) => {
            let nullable = scan.schema().fields().iter().map(|field| field.is_nullable()).collect();
            let label = Label { dataset: scan.dataset().to_owned(), nullable, binds: scan.binds() };
            Ok(Transformed::yes(Arc::new(SentScan::new(scan.below().clone(), label)?) as _))
        }
        None => Ok(Transformed::no(node)),
    };
    plan.transform_up(open).data()
}

impl SentScan {
    pub fn new(below: Arc<dyn ExecutionPlan>, label: Label) -> Result<Self> {
        let has = below.schema();
        if has.fields().len() != label.nullable.len() {
            return internal_err!("a scan of {} columns is promised {}", has.fields().len(), label.nullable.len());
        }
        let promised = |(field, nullable): (&Arc<Field>, &bool)| field.as_ref().clone().with_nullable(*nullable);
        let schema = Schema::new(has.fields().iter().zip(&label.nullable).map(promised).collect::<Vec<_>>());
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::new(schema)),
            below.output_partitioning().clone(),
            below.pipeline_behavior(),
            below.boundedness(),
        );
        Ok(Self { below, label, properties: Arc::new(properties) })
    }

    pub fn label(&self) -> &Label {
        &self.label
    }
}

impl DisplayAs for SentScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{NAME}: dataset={}", self.label.dataset)
    }
}

impl ExecutionPlan for SentScan {
    fn name(&self) -> &'static str {
        NAME
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.below]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match <[_; 1]>::try_from(children) {
            Ok([below]) => Ok(Arc::new(Self::new(below, self.label.clone())?)),
            Err(others) => internal_err!("a dataset's scan reads one thing, not {}", others.len()),
        }
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        match inputs {
            [below] if !self.label.binds => Ok(below.clone()),
            _ => Ok(Arc::new(Statistics::new_unknown(&self.schema()))),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema = self.schema();
        let promised = schema.clone();
        let rows = self.below.execute(partition, context)?.map(move |batch| as_promised(&batch?, &promised));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}

fn as_promised(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema.clone(), batch.columns().to_vec(), &rows)?)
}
