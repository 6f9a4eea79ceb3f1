//! Monitor: how far the present is from the training window, feature by feature.

use bedplate_types::Timestamp;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::validate::{FieldError, Validate, not_empty};
use crate::{Condition, Phase};

/// How far the present is from the training window, feature by feature.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "Monitor",
    namespaced,
    status = "MonitorStatus",
    selectable = ".spec.recipe",
    selectable = ".status.phase",
    shortname = "mon",
    printcolumn = r#"{"name":"Phase","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Drifted","type":"integer","jsonPath":".status.driftedFeatures"}"#,
    printcolumn = r#"{"name":"Recipe","type":"string","jsonPath":".spec.recipe"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct MonitorSpec {
    /// The recipe whose training set is watched.
    pub recipe: String,
    /// The window compared against; the recipe's training window when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Window>,
    /// The window that is watched.
    pub current: Window,
    /// A feature drifts when its normalised Wasserstein or Jensen-Shannon distance passes this.
    #[serde(default = "MonitorSpec::usual_threshold")]
    pub threshold: f64,
}

impl MonitorSpec {
    fn usual_threshold() -> f64 {
        0.1
    }
}

/// A span of time, from (inclusive) to (exclusive); an end left out is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// The first moment in it; open when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// The first moment after it; open when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

impl Window {
    #[must_use]
    pub fn contains(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time < to)
    }

    pub(crate) fn check(&self, field: &str) -> Option<FieldError> {
        let backwards = matches!((self.from, self.to), (Some(from), Some(to)) if from >= to);
        backwards.then(|| FieldError::new(field, "ends before it begins"))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MonitorStatus {
    pub phase: Phase,
    /// Every feature, compared.
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["feature"]))]
    pub drift: Vec<DriftResult>,
    /// How many passed the threshold.
    pub drifted_features: u64,
    /// The label's mean, month by month.
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["month"]))]
    pub label_shift: Vec<LabelShift>,
    /// Digest of the training set and windows the report was made from.
    pub input_digest: String,
    /// Where it stands, aspect by aspect.
    pub conditions: Vec<Condition>,
    /// The generation of the spec this status tells of.
    pub observed_generation: i64,
}

/// How one feature moved from the reference window to the current one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftResult {
    /// The feature.
    pub feature: String,
    /// Population stability index.
    pub psi: f64,
    /// Jensen-Shannon distance, natural logarithm.
    pub jensen_shannon: f64,
    /// Wasserstein distance over the reference's standard deviation.
    pub wasserstein: f64,
    /// The share without a value in the reference window.
    pub missing_share_reference: f64,
    /// The share without a value in the current window.
    pub missing_share_current: f64,
    /// Whether a distance passes the threshold.
    pub drifted: bool,
}

/// The label's mean in one calendar month (UTC).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabelShift {
    /// 2013-07
    pub month: String,
    /// Labelled rows of the month.
    pub rows: u64,
    /// The share of them with a positive label.
    pub positive_share: f64,
}

impl Validate for MonitorSpec {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors: Vec<_> = not_empty("spec.recipe", &self.recipe).into_iter().collect();
        errors.extend(self.current.check("spec.current"));
        if let Some(reference) = &self.reference {
            errors.extend(reference.check("spec.reference"));
        }
        errors
    }
}
