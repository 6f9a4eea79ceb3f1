//! How much of the data files a plan read.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;

use super::scan::DatasetScan;

/// By dataset.
pub(super) fn scanned(plan: &Arc<dyn ExecutionPlan>) -> BTreeMap<String, u64> {
    let mut bytes = BTreeMap::new();
    add(plan, &mut bytes);
    bytes
}

fn add(plan: &Arc<dyn ExecutionPlan>, bytes: &mut BTreeMap<String, u64>) {
    if let Some(scan) = plan.downcast_ref::<DatasetScan>() {
        *bytes.entry(scan.dataset().to_owned()).or_default() += read(scan.below());
    }
    plan.children().into_iter().for_each(|child| add(child, bytes));
}

fn read(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let own = plan.metrics().and_then(|metrics| metrics.sum_by_name("bytes_scanned"));
    let below: u64 = plan.children().into_iter().map(read).sum();
    own.map_or(0, |own| own.as_usize() as u64) + below
}
