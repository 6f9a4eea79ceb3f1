//! Monitor: compares the current window of a training set with its reference, feature by feature.

use std::sync::Arc;

use arrow::array::{Array, Float64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use bedplate_delivery::drift;
use bedplate_kinds::{DriftResult, LabelShift, Monitor, MonitorStatus, Phase, TrainingRecipe, Window};
use bedplate_lineage::Node;
use bedplate_types::{ErrorKind, Problem};
use serde_json::json;

use crate::core::{ACTOR, Facts, Platform, full_name};
use crate::digest;
use crate::hold::{Hold, failed};
use crate::jobs::FEATURE_PREFIX;
use crate::run::Reconcile;
use crate::snapshot::Snapshot;
use crate::training_set::{times, within};

impl Reconcile for Monitor {
    async fn bring(platform: &Arc<Platform>, object: &Arc<Self>, status: &mut MonitorStatus) -> Result<Phase, Hold> {
        bring(platform, object, status).await
    }
}

async fn bring(platform: &Arc<Platform>, monitor: &Monitor, status: &mut MonitorStatus) -> Result<Phase, Hold> {
    let name = full_name(monitor);
    let recipe = platform.need::<TrainingRecipe>(&name.namespace, &monitor.spec.recipe).await?;
    let recipe_status = recipe.status.clone().unwrap_or_default();
    if recipe_status.phase != Phase::Ready {
        return Err(Hold::waiting(format!("training recipe {} has no gated model yet", monitor.spec.recipe)));
    }
    let inputs = digest::of(&[&recipe_status.training_set, &monitor.spec]).to_string();
    if status.phase == Phase::Ready && status.input_digest == inputs {
        return Ok(Phase::Ready);
    }
    let snapshot = Snapshot::load(platform, &recipe_status.training_set)?;
    let path = snapshot.path(platform);
    let reference = monitor.spec.reference.clone().unwrap_or_else(|| recipe.spec.split.train.clone());
    let (current, threshold) = (monitor.spec.current.clone(), monitor.spec.threshold);
    let ((report, shift), took) = platform
        .measured(move || {
            let batches = bedplate_query::snapshot::read_snapshot(&path).map_err(failed("reading the training set"))?;
            let report = compare(&batches, &snapshot, &reference, &current, threshold)?;
            Ok((report, label_shift(&batches, &snapshot)?))
        })
        .await?;
    status.drifted_features = report.iter().filter(|feature| feature.drifted).count() as u64;
    let now = platform.now();
    let detail = json!({ "drifted": status.drifted_features, "features": report.len() });
    let watched = Node::Snapshot(Snapshot::digest(&recipe_status.training_set)?);
    let facts = Facts::default()
        .did(now, "watch", format!("monitors/{name}"), detail)
        .follows(&watched, &Node::monitor(&name.namespace, &name.name), ACTOR, now)
        .leads("monitor", &name, &watched)
        .worked("watch", &name, &recipe.spec.owner, took, now);
    platform.record(facts).await?;
    (status.drift, status.label_shift, status.input_digest) = (report, shift, inputs);
    Ok(Phase::Ready)
}

fn compare(
    batches: &[RecordBatch],
    snapshot: &Snapshot,
    reference: &Window,
    current: &Window,
    threshold: f64,
) -> Result<Vec<DriftResult>, Hold> {
    let time = &snapshot.signature.timestamp_column;
    let cut = |window: &Window| batches.iter().map(|batch| within(batch, time, window)).collect::<Result<Vec<_>, _>>();
    let (reference, current) = (cut(reference)?, cut(current)?);
    let one = |feature: &String| {
        let column = format!("{FEATURE_PREFIX}{feature}");
        let (before, now) = (numbers(&reference, &column)?, numbers(&current, &column)?);
        Ok(drift::compare(feature, &before, &now, threshold))
    };
    snapshot.signature.features.iter().map(one).collect()
}

fn label_shift(batches: &[RecordBatch], snapshot: &Snapshot) -> Result<Vec<LabelShift>, Hold> {
    let mut moments = Vec::new();
    for batch in batches {
        moments.extend(times(batch, &snapshot.signature.timestamp_column)?.values().iter().copied());
    }
    let labels = numbers(batches, &snapshot.signature.label)?;
    let labels: Vec<_> = labels.into_iter().map(|label| label > 0.5).collect();
    Ok(drift::label_shift(&moments, &labels))
}

/// The column of all batches as numbers; missing is NaN.
pub fn numbers(batches: &[RecordBatch], column: &str) -> Result<Vec<f64>, Hold> {
    let broken = |why: String| Hold::Failed(Problem::new(ErrorKind::Corrupt, "the training set", why));
    let mut numbers = Vec::new();
    for batch in batches {
        let values = batch.column_by_name(column).ok_or_else(|| broken(format!("it has no column {column:?}")))?;
        let values = cast(values, &DataType::Float64).map_err(|error| broken(format!("{column}: {error}")))?;
        let values = values.as_any().downcast_ref::<Float64Array>().ok_or_else(|| broken(column.to_owned()))?.clone();
        numbers.extend((0..values.len()).map(|row| if values.is_null(row) { f64::NAN } else { values.value(row) }));
    }
    Ok(numbers)
}
