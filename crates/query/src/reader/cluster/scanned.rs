//! How much of the data files a job read, of what the scheduler tells of its steps.

use std::collections::BTreeMap;

use ballista_core::serde::protobuf::operator_metric::Metric;
use ballista_core::serde::protobuf::{GetJobMetricsResult, JobStageMetrics, OperatorWithMetrics};

use super::scan;

/// By dataset, in bytes; of the stages that were done.
pub(super) fn scanned(job: &GetJobMetricsResult) -> BTreeMap<String, u64> {
    let mut bytes = BTreeMap::new();
    job.stages.iter().for_each(|stage| add(stage, &mut bytes));
    bytes
}

/// A stage's steps come each before what it reads, which is deeper.
fn add(stage: &JobStageMetrics, bytes: &mut BTreeMap<String, u64>) {
    let mut within: Option<(u32, &str)> = None;
    for step in &stage.operators {
        within = within.filter(|(depth, _)| step.depth > *depth);
        if let Some(dataset) = dataset(step) {
            within = Some((step.depth, dataset));
        }
        if let Some((_, dataset)) = within {
            *bytes.entry(dataset.to_owned()).or_default() += read(step);
        }
    }
}

fn dataset(step: &OperatorWithMetrics) -> Option<&str> {
    step.operator_desc.strip_prefix(scan::NAME)?.strip_prefix(": dataset=")
}

fn read(step: &OperatorWithMetrics) -> u64 {
    let of = |metric: &Metric| match metric {
        Metric::Count(count) if count.name == "bytes_scanned" => count.value,
        _ => 0,
    };
    step.metrics.iter().filter_map(|metric| metric.metric.as_ref()).map(of).sum()
}

#[cfg(test)]
mod tests {
    use ballista_core::serde::protobuf::{NamedCount, OperatorMetric};

    use super::*;

    fn step(depth: u32, told: &str, bytes: u64) -> OperatorWithMetrics {
        let count = Metric::Count(NamedCount { name: "bytes_scanned".into(), value: bytes });
        let metrics = vec![OperatorMetric { metric: Some(count), partition: None }];
        let operator_type = told.split(':').next().unwrap_or_default().to_owned();
        OperatorWithMetrics { depth, operator_type, operator_desc: told.to_owned(), metrics }
    }

    #[test]
    fn bytes_are_those_of_the_scan_they_are_below() {
        let first = vec![
            step(0, "ShuffleWriterExec", 0),
            step(1, "UnionExec", 0),
            step(2, "DatasetScan: dataset=people", 0),
            step(3, "ProjectionExec: expr=[]", 0),
            step(4, "DataSourceExec: file_groups={}", 7),
            step(2, "DatasetScan: dataset=flights", 0),
            step(3, "DataSourceExec: file_groups={}", 5),
            step(2, "DataSourceExec: partitions=1", 100),
        ];
        let second = vec![step(0, "DatasetScan: dataset=people", 0), step(1, "DataSourceExec: x", 1)];
        let stage = |operators| JobStageMetrics { stage_id: 1, partitions: 1, operators };
        let job = GetJobMetricsResult { stages: vec![stage(first), stage(second)] };
        assert_eq!(scanned(&job), BTreeMap::from([("flights".into(), 5), ("people".into(), 8)]));
    }
}
