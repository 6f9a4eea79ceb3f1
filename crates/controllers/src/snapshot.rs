//! A pinned training set: a manifest and a Parquet file, both named by what is in them.

use std::path::PathBuf;

use bedplate_features::request::RequestEncoder;
use bedplate_kinds::{DataTags, FeatureService, TrainingRecipeSpec};
use bedplate_offline::View;
use bedplate_serving::Signature;
use bedplate_types::{Digest, ErrorKind, Problem};
use serde::{Deserialize, Serialize};

use crate::core::Platform;
use crate::hold::{Hold, failed};
use crate::training_set::TrainingSet;

/// What a model is trained on and what it will ask of a request. Its own digest names the training set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Digest of the Parquet file.
    pub rows: Digest,
    pub signature: Signature,
}

impl Snapshot {
    pub fn new(
        rows: Digest,
        set: &TrainingSet,
        views: &[View],
        service: &FeatureService,
        spec: &TrainingRecipeSpec,
        tags: Option<DataTags>,
    ) -> Self {
        let signature = Signature {
            features: set.features.clone(),
            views: service.spec.views.clone(),
            view_versions: service.status.clone().unwrap_or_default().view_versions,
            request: set.encoder.clone(),
            request_columns: request_columns(&set.encoder, views, spec),
            timestamp_column: spec.label.timestamp_column.clone(),
            label: spec.label.column.clone(),
            tags,
        };
        Self { rows, signature }
    }

    /// Stores the manifest and gives its digest.
    pub fn pin(&self, platform: &Platform) -> Result<Digest, Hold> {
        let bytes = serde_json::to_vec(self).map_err(|error| broken(&error.to_string()))?;
        platform.objects.put(&bytes).map_err(failed("pinning the training set"))
    }

    /// The digest a status names, or a wait for it.
    pub fn digest(text: &str) -> Result<Digest, Hold> {
        text.parse().map_err(|_| Hold::waiting("the training set is not pinned yet"))
    }

    /// The manifest a status names.
    pub fn load(platform: &Platform, digest: &str) -> Result<Self, Hold> {
        let digest = Self::digest(digest)?;
        let bytes = platform.objects.get(&digest).map_err(failed("reading the training set"))?;
        serde_json::from_slice(&bytes).map_err(|error| broken(&error.to_string()))
    }

    /// The Parquet file.
    pub fn path(&self, platform: &Platform) -> PathBuf {
        platform.objects.path(&self.rows)
    }
}

/// The entities' join keys, the request features' columns and the moment, each once, in that order.
fn request_columns(encoder: &RequestEncoder, views: &[View], spec: &TrainingRecipeSpec) -> Vec<String> {
    let keys = views.iter().flat_map(|view| &view.definition.join_keys).map(|key| key.name.clone());
    let made = encoder.features.iter().map(|feature| feature.column.clone());
    let mut columns: Vec<String> = Vec::new();
    for column in keys.chain(made).chain([spec.label.timestamp_column.clone()]) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}

fn broken(why: &str) -> Hold {
    Hold::Failed(Problem::new(ErrorKind::Corrupt, "the training set's manifest", why))
}
