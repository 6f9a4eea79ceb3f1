//! TrainingRecipe: from labels and features to a gated model version.

use bedplate_types::Timestamp;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::validate::{FieldError, Validate, duplicates, not_empty};
use crate::{Condition, GateResult, Phase, Resources};

/// From labels and features to a gated model version.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "TrainingRecipe",
    namespaced,
    status = "TrainingRecipeStatus",
    selectable = ".spec.model",
    selectable = ".spec.featureService",
    selectable = ".status.phase",
    shortname = "recipe",
    printcolumn = r#"{"name":"Phase","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Model","type":"string","jsonPath":".spec.model"}"#,
    printcolumn = r#"{"name":"Rows","type":"integer","jsonPath":".status.trainingSetRows"}"#,
    printcolumn = r#"{"name":"AUC","type":"number","jsonPath":".status.metrics.auc"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct TrainingRecipeSpec {
    /// The team that answers for it.
    #[serde(default)]
    pub owner: String,
    /// What is to be predicted, and what for.
    #[serde(default)]
    pub description: String,
    /// What the model is for. Data that may be used for some purposes only must name it among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    pub label: Label,
    /// The FeatureService whose features the model takes.
    pub feature_service: String,
    /// Rows created after it are not seen, of the views with a `createdColumn`: the training set is made of what was known
    /// then. Without it, of all rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_known_at: Option<Timestamp>,
    pub split: Split,
    pub algorithm: Algorithm,
    /// The Model that gets a version when every gate passes.
    pub model: String,
    /// Every one of them must pass before a version is registered.
    #[serde(default)]
    pub gates: Vec<Gate>,
    /// Limits of the training run.
    #[serde(default)]
    pub resources: Resources,
}

/// The frame of labelled rows: who, when, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Label {
    /// The datasets the query reads; it sees no others.
    pub datasets: Vec<String>,
    /// A row for each moment at which a prediction would have been asked.
    pub sql: String,
    /// The 0/1 or boolean column to predict; a null label is refused, the query leaves such rows out.
    pub column: String,
    /// The moment of prediction.
    pub timestamp_column: String,
}

/// Two windows of the label's time, each from (inclusive) to (exclusive).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Split {
    /// What is learnt from.
    pub train: crate::Window,
    /// What metrics and gates are measured on.
    pub test: crate::Window,
}

/// Exactly one algorithm; exactly one field is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Algorithm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_boosting: Option<GradientBoosting>,
}

/// Boosted trees for a binary label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GradientBoosting {
    /// Fitting effort: 0.5 is quick, 1.5 thorough.
    #[serde(default = "GradientBoosting::usual_budget")]
    pub budget: f32,
    /// The same seed and training set make the same model.
    #[serde(default)]
    pub seed: u64,
    /// Stop after so many trees even within the budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_trees: Option<u32>,
}

impl GradientBoosting {
    fn usual_budget() -> f32 {
        0.5
    }
}

/// Exactly one gate; exactly one field besides the name is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// What refusals call it.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<MetricGate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leakage: Option<LeakageGate>,
}

/// A metric of the test window within bounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricGate {
    /// auc, logLoss or brier.
    pub metric: String,
    /// The lowest value that passes; open when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The highest value that passes; open when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// Refuses a model when one feature alone tells the label too well to be known beforehand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeakageGate {
    /// The highest AUC any one feature may reach alone on the test window.
    #[serde(default = "LeakageGate::usual_limit")]
    pub max_single_feature_auc: f64,
}

impl LeakageGate {
    fn usual_limit() -> f64 {
        0.8
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TrainingRecipeStatus {
    pub phase: Phase,
    /// Digest of the training set's snapshot.
    pub training_set: String,
    /// Rows of the training set.
    pub training_set_rows: u64,
    /// Rows of the label frame that are not in the training set: 0, or it is a defect.
    pub label_rows_dropped: u64,
    /// Digest of definition, features and data: the same inputs are trained once.
    pub input_digest: String,
    /// The training run.
    pub workload: String,
    /// auc, logLoss and brier of the test window.
    pub metrics: std::collections::BTreeMap<String, f64>,
    /// What every gate found.
    pub gates: Vec<GateResult>,
    /// The version that came of it.
    pub model_version: Option<u32>,
    /// Where it stands, aspect by aspect.
    pub conditions: Vec<Condition>,
    /// The generation of the spec this status tells of.
    pub observed_generation: i64,
}

impl Validate for TrainingRecipeSpec {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = duplicates("spec.gates", self.gates.iter().map(|gate| gate.name.as_str()));
        errors.extend(not_empty("spec.label.sql", &self.label.sql));
        errors.extend(not_empty("spec.model", &self.model));
        errors.extend(self.purpose.as_deref().and_then(|purpose| not_empty("spec.purpose", purpose)));
        if self.algorithm.gradient_boosting.is_none() {
            errors.push(FieldError::new(
                "spec.algorithm",
                "exactly one algorithm must be set; there is gradientBoosting",
            ));
        }
        for (i, gate) in self.gates.iter().enumerate() {
            if gate.metric.is_some() == gate.leakage.is_some() {
                errors
                    .push(FieldError::new(format!("spec.gates[{i}]"), "exactly one of metric and leakage must be set"));
            }
        }
        errors.extend(self.split.train.check("spec.split.train"));
        errors.extend(self.split.test.check("spec.split.test"));
        if overlap(&self.split.train, &self.split.test) {
            errors
                .push(FieldError::new("spec.split.test", "overlaps spec.split.train: the test would see trained rows"));
        }
        errors
    }
}

fn overlap(a: &crate::Window, b: &crate::Window) -> bool {
    let starts_before = |x: Option<Timestamp>, y: Option<Timestamp>| x.is_none() || y.is_none() || x < y;
    starts_before(a.from, b.to) && starts_before(b.from, a.to)
}
