//! FeatureService: the features one model takes, in order.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::validate::{FieldError, Validate, duplicates};
use crate::{Condition, Phase};

/// The features one model takes, in order.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "FeatureService",
    namespaced,
    status = "FeatureServiceStatus",
    selectable = ".status.phase",
    shortname = "fs",
    printcolumn = r#"{"name":"Phase","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Features","type":"integer","jsonPath":".status.features"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct FeatureServiceSpec {
    /// The team that answers for it.
    #[serde(default)]
    pub owner: String,
    /// What the features are for.
    #[serde(default)]
    pub description: String,
    /// Whose features it takes, in the order the model sees them.
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["view"]))]
    pub views: Vec<ViewSelection>,
    /// Features made from the request (offline: from the label row) alone.
    #[serde(default)]
    pub request_features: Vec<RequestFeature>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ViewSelection {
    /// The FeatureView.
    pub view: String,
    /// Some of the view's features; all when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestFeature {
    /// The feature.
    pub name: String,
    /// The request's column.
    pub column: String,
    #[serde(default)]
    pub transform: Transform,
    /// IANA name, for the transforms of a time; UTC when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// How a request's column becomes a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Transform {
    /// The number itself.
    #[default]
    Number,
    /// The position in the vocabulary the training window had, sorted; an unknown string is missing.
    Category,
    /// Minutes since local midnight.
    MinuteOfDay,
    /// 1 Monday to 7 Sunday, local.
    DayOfWeek,
    /// 1 to 12, local.
    Month,
    /// 1 to 366, local.
    DayOfYear,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FeatureServiceStatus {
    pub phase: Phase,
    /// How many there are.
    pub features: u64,
    /// The version of each view this service was resolved with.
    pub view_versions: BTreeMap<String, String>,
    /// Where it stands, aspect by aspect.
    pub conditions: Vec<Condition>,
    /// The generation of the spec this status tells of.
    pub observed_generation: i64,
}

impl Validate for FeatureServiceSpec {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = duplicates("spec.views", self.views.iter().map(|selection| selection.view.as_str()));
        errors.extend(duplicates("spec.requestFeatures", self.request_features.iter().map(|f| f.name.as_str())));
        if self.views.is_empty() && self.request_features.is_empty() {
            errors.push(FieldError::new("spec", "must select at least one feature"));
        }
        errors
    }
}
