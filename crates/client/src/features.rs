//! What is to be known of a feature view's rows.

use bedplate_types::{Span, Timestamp};
use kube::Client;
use serde::Serialize;
use serde_json::Value;

use crate::error::ClientError;
use crate::post::post;
use crate::request::escaped;

/// Which sample is looked at.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FeaturesVerify {
    /// The most entities; what the server takes when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<u32>,
    /// Decides which.
    pub seed: u32,
    /// The one moment to ask about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What the values are read for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

/// Compares online values with the source; `{"result", "entities", "values", "equal", "expected", "different",
/// "missingEntities", "newestOnline", "newestSource", "examples": [{"entity", "feature", "at", "online", "offline"}]}`.
pub async fn features_verify(
    client: &Client,
    namespace: &str,
    view: &str,
    wanted: &FeaturesVerify,
) -> Result<Value, ClientError> {
    post(client, &path(namespace, view, "verify"), wanted).await
}

/// A stretch of time: the last so much of it, or from one moment to another; all of it when nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FeaturesWindow {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Span>,
    /// The first moment in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// The first moment after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

/// Which statistics are asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FeaturesStatistics {
    /// The version that must be the declared one, or its first digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    pub window: FeaturesWindow,
    /// What was served, instead of what the source has.
    pub served: bool,
    /// What the values are read for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

/// What is asked of a comparison.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FeaturesLimits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Rows that each side must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What was served is compared with the source in a window, or with the training set of a recipe.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FeaturesSkew {
    /// Up to how long ago it was served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served: Option<Span>,
    pub window: FeaturesWindow,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    #[serde(flatten)]
    pub limits: FeaturesLimits,
}

/// One window of the source is compared with another.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FeaturesDrift {
    pub window: FeaturesWindow,
    pub against: FeaturesWindow,
    #[serde(flatten)]
    pub limits: FeaturesLimits,
}

/// What a view's features are; `{"of", "version", "rows", "features": [{"name", "rows", "nulls", "distinct", "values":
/// {"numbers": {"min", "max", "mean", "std", "quantiles", "histogram"}}}], "hidden"}`.
pub async fn features_statistics(
    client: &Client,
    namespace: &str,
    view: &str,
    wanted: &FeaturesStatistics,
) -> Result<Value, ClientError> {
    post(client, &path(namespace, view, "statistics"), wanted).await
}

/// Whether they are served as the source has them; `{"result", "current", "reference", "features": [{"feature", "verdict",
/// "because", "referenceRows", "currentRows", "distances"}], "hidden", "notCompared"}`.
pub async fn features_skew(
    client: &Client,
    namespace: &str,
    view: &str,
    wanted: &FeaturesSkew,
) -> Result<Value, ClientError> {
    post(client, &path(namespace, view, "skew"), wanted).await
}

/// Whether the source has them in one window as in another; as [`features_skew`].
pub async fn features_drift(
    client: &Client,
    namespace: &str,
    view: &str,
    wanted: &FeaturesDrift,
) -> Result<Value, ClientError> {
    post(client, &path(namespace, view, "drift"), wanted).await
}

fn path(namespace: &str, view: &str, last: &str) -> String {
    format!("/bedplate/v1/namespaces/{}/featureviews/{}/{last}", escaped(namespace), escaped(view))
}
