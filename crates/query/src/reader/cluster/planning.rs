//! What is planned otherwise where tasks share nothing.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{Field, Schema, SchemaRef};
use ballista_core::extension::SessionConfigExt;
use datafusion::common::JoinType;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::Result;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::joins::{NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion::prelude::SessionConfig;

use super::super::scan::DatasetScan;

/// Into how many parts rows are shared, where they are.
const PARTS: usize = 8;

/// What Ballista needs: no filters that are found while rows are read, no subquery's value that is handed on in memory.
pub fn config(config: SessionConfig) -> SessionConfig {
    let config = config.with_target_partitions(PARTS).upgrade_for_ballista();
    // Of a small side that is held whole the scheduler decides, who knows for which joins that is right.
    config
        .set_u64("datafusion.optimizer.hash_join_single_partition_threshold", 0)
        .set_u64("datafusion.optimizer.hash_join_single_partition_threshold_rows", 0)
}

/// What is said of the session with a plan that is finished. The scheduler looks once more whether each step's input is parted
/// as it must be. Where it came to another answer than the planner, it would part rows within a task, of which there are
/// several: every one would work on all of them.
pub fn finished(config: SessionConfig) -> SessionConfig {
    config
        .with_target_partitions(1)
        .with_repartition_joins(false)
        .with_repartition_aggregations(false)
        .with_repartition_windows(false)
        .with_repartition_sorts(false)
        .with_repartition_file_scans(false)
}

/// Whether the plan is right only as one task. A join that compares every pair tells of rows without a partner once all tasks
/// are done, and they do not know of each other. Among several tasks a `FULL JOIN` merges what is sorted, and with a condition
/// beside equality DataFusion's panics.
pub fn in_one_piece(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let tells_of_the_left = |kind: JoinType| {
        !matches!(
            kind,
            JoinType::Inner | JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark
        )
    };
    plan.downcast_ref::<NestedLoopJoinExec>().is_some_and(|join| tells_of_the_left(*join.join_type()))
        || plan.downcast_ref::<SortMergeJoinExec>().is_some_and(is_full_with_condition)
        || plan.children().into_iter().any(in_one_piece)
}

fn is_full_with_condition(join: &SortMergeJoinExec) -> bool {
    join.join_type() == JoinType::Full && join.filter().is_some()
}

/// Whether it makes rows of the values of a dataset's lists, which executors do not read back.
pub fn unnests(plan: &Arc<dyn ExecutionPlan>) -> bool {
    (plan.is::<UnnestExec>() && reads(plan)) || plan.children().into_iter().any(unnests)
}

fn reads(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.is::<DatasetScan>() || plan.children().into_iter().any(reads)
}

/// The plan with rows that are known without reading (`SELECT 1`, a `count(*)` that is told by the files' statistics) as
/// something that is read. Of a `UNION` with them as they are planned, Ballista gives a task that has none of them another plan
/// than the rest, whose measures it then cannot add up: the job would never end.
pub fn known_rows_read(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let read = |node: Arc<dyn ExecutionPlan>| match known_rows(&node)? {
        Some((schema, parts)) => Ok(Transformed::yes(MemorySourceConfig::try_new_exec(&parts, schema, None)? as _)),
        None => Ok(Transformed::no(node)),
    };
    plan.transform_up(read).data()
}

type Parts = Vec<Vec<RecordBatch>>;

fn known_rows(node: &Arc<dyn ExecutionPlan>) -> Result<Option<(SchemaRef, Parts)>> {
    let parts = node.output_partitioning().partition_count();
    if node.is::<EmptyExec>() {
        return Ok(Some((node.schema(), vec![Vec::new(); parts])));
    }
    if !node.is::<PlaceholderRowExec>() {
        return Ok(None);
    }
    // Nobody looks at its columns, whatever they promise.
    let nullable = |field: &Arc<Field>| field.as_ref().clone().with_nullable(true);
    let schema = Arc::new(Schema::new(node.schema().fields().iter().map(nullable).collect::<Vec<_>>()));
    let nulls = schema.fields().iter().map(|field| new_null_array(field.data_type(), 1)).collect();
    let one = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(schema.clone(), nulls, &one)?;
    Ok(Some((schema, vec![vec![row]; parts])))
}
