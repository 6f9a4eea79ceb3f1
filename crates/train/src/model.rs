//! A fitted model.

use bedplate_onnx::TreeEnsemble;
use hessboost::model::{BoostedModel, ImportanceType, Iterations};

use crate::{TrainError, export};

/// Fitted trees with the names of their features.
#[derive(Clone, Debug)]
pub struct TreeModel {
    booster: BoostedModel,
    ensemble: TreeEnsemble,
    feature_names: Vec<String>,
}

impl TreeModel {
    pub(crate) fn new(booster: BoostedModel, feature_names: &[String]) -> Result<Self, TrainError> {
        let ensemble = export::ensemble(&booster)?;
        Ok(Self { booster, ensemble, feature_names: feature_names.to_vec() })
    }

    /// The ONNX file: a `TreeEnsembleClassifier` taking `features` float `[N, F]` to `label` int64 `[N]` and
    /// `probabilities` float `[N, 2]`, with the feature names in its metadata. Same model, same bytes.
    #[must_use]
    pub fn to_onnx(&self) -> Vec<u8> {
        self.ensemble.to_onnx(&serde_json::Value::from(self.feature_names.clone()).to_string())
    }

    /// The trees, with thresholds and leaves as they go to ONNX.
    #[must_use]
    pub fn ensemble(&self) -> &TreeEnsemble {
        &self.ensemble
    }

    #[must_use]
    pub fn n_trees(&self) -> usize {
        self.ensemble.trees.len()
    }

    /// Each feature's share of the loss reduction of all splits, largest first; shares add up to 1.
    #[must_use]
    pub fn importance(&self) -> Vec<(String, f64)> {
        let gains = self.booster.feature_importance(ImportanceType::TotalGain);
        let total: f64 = gains.values().sum();
        let share = |at: usize| gains.get(&at).map_or(0.0, |gain| gain / total.max(f64::MIN_POSITIVE));
        let mut shares: Vec<(String, f64)> = self.feature_names.iter().cloned().zip((0..).map(share)).collect();
        shares.sort_by(|a, b| b.1.total_cmp(&a.1));
        shares
    }

    /// The trainer's own probability of label 1 for one row: what the ONNX file is held against.
    ///
    /// # Errors
    /// When the row is not as wide as the model.
    pub fn trainer_probability(&self, row: &[f32]) -> Result<f32, TrainError> {
        self.booster.predict_row(row, Iterations::Best).map_err(TrainError::Trainer)
    }
}
