//! The job of a training run.

use std::path::Path;

use bedplate_kinds::{Train, TrainingRecipe};
use bedplate_types::{ErrorKind, NamespacedName, Problem};
use serde_json::json;

use crate::core::Platform;
use crate::hold::Hold;
use crate::jobs::TrainJob;
use crate::registration::MODEL_FILE;
use crate::snapshot::Snapshot;
use crate::workload::Prepared;

pub async fn prepare(
    platform: &Platform,
    name: &NamespacedName,
    task: &Train,
    folder: &Path,
) -> Result<Prepared, Hold> {
    let recipe = platform.need::<TrainingRecipe>(&name.namespace, &task.recipe).await?;
    let snapshot = Snapshot::load(platform, &task.training_set)?;
    let algorithm = recipe.spec.algorithm.gradient_boosting.ok_or_else(|| {
        Hold::Failed(Problem::new(ErrorKind::Invalid, format!("recipe {}", task.recipe), "no algorithm is set"))
    })?;
    let job = TrainJob {
        training_set: snapshot.path(platform),
        features: snapshot.signature.features,
        label: recipe.spec.label.column,
        timestamp: recipe.spec.label.timestamp_column,
        train: recipe.spec.split.train,
        test: recipe.spec.split.test,
        algorithm,
        model: folder.join(MODEL_FILE),
    };
    Ok(Prepared { command: "train", job: json!(job) })
}
