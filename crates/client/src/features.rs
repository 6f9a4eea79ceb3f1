//! What is to be known of a feature view's rows.

use bedplate_types::Timestamp;
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
    let path = format!("/bedplate/v1/namespaces/{}/featureviews/{}/verify", escaped(namespace), escaped(view));
    post(client, &path, wanted).await
}
