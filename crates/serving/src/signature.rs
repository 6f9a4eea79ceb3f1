//! What a model file cannot say of itself: which features it takes, in which order, and how each is made.

use std::collections::BTreeMap;

use bedplate_features::request::RequestEncoder;
use bedplate_kinds::{DataTags, ViewSelection};
use serde::{Deserialize, Serialize};

/// Kept as `signature.json` beside `model.onnx` and signed with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Signature {
    /// Every input of the model in order: the views' features, then the request's.
    pub features: Vec<String>,
    pub views: Vec<ViewSelection>,
    /// The version of each view the model was trained on: an endpoint refuses another.
    pub view_versions: BTreeMap<String, String>,
    pub request: RequestEncoder,
    /// The columns a request must carry, with the moment of prediction among them.
    pub request_columns: Vec<String>,
    pub timestamp_column: String,
    pub label: String,
    /// How the data it was trained from may be used: it binds the model too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<DataTags>,
}
