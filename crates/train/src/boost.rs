//! The fit itself.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use hessboost::config::{GrowPolicy, TrainingParams, TreeMethod};
use hessboost::data::DMatrix;
use hessboost::error::HessboostError;
use hessboost::model::BoostedModel;
use hessboost::objective::Objective;
use hessboost::training::Trainer;

use crate::{FitRequest, Progress, TrainError, TreeModel};

/// 31 leaves with at least a Hessian of 20 are the usual shape of histogram boosting on tables of some 10^5 rows.
const LEAVES: usize = 31;
const LEAST_HESSIAN: f64 = 20.0;
const SHARE_OF_FEATURES: f64 = 0.8;

/// Fits trees to the request; `progress` is told after every tree, and a fit whose `cancel` turns true stops there.
///
/// Cost: about 30 ms a tree for 160,000 rows of 19 features on 2 cores; memory about 10 bytes a value.
///
/// # Errors
/// When the request is contradictory (see [`TrainError`]), cancelled, or the trainer fails.
pub fn fit(
    request: &FitRequest<'_>,
    progress: &mut (dyn FnMut(Progress) + Send),
    cancel: &AtomicBool,
) -> Result<TreeModel, TrainError> {
    request.check()?;
    let data = matrix(request).map_err(TrainError::Trainer)?;
    let params = params(request).map_err(TrainError::Trainer)?;
    let booster = boost(request, &params, &data, progress, cancel).map_err(TrainError::Trainer)?;
    if cancel.load(Ordering::Relaxed) {
        return Err(TrainError::Cancelled { trees: booster.num_trees() });
    }
    TreeModel::new(booster, request.feature_names)
}

fn matrix(request: &FitRequest<'_>) -> Result<DMatrix, HessboostError> {
    let labels: Vec<f32> = request.labels.iter().map(|label| *label as f32).collect();
    DMatrix::from_dense_vec(request.rows(), labels.len(), request.features.len())?.with_labels(&labels)
}

/// A leaf needs evidence, but never so much that a small table cannot be split at all.
fn least_hessian(rows: usize) -> f64 {
    LEAST_HESSIAN.min(rows as f64 / 100.0)
}

fn params(request: &FitRequest<'_>) -> Result<TrainingParams, HessboostError> {
    TrainingParams::builder()
        .objective(Objective::BinaryLogistic(Default::default()))
        .tree_method(TreeMethod::Hist)
        .grow_policy(GrowPolicy::LossGuide)
        .unlimited_depth()
        .max_leaves(LEAVES)
        .min_child_weight(least_hessian(request.labels.len()))
        .colsample_bytree(SHARE_OF_FEATURES)
        .eta(request.step())
        .seed(request.seed)
        .nthread(request.threads.max(1))
        .build()
}

fn boost(
    request: &FitRequest<'_>,
    params: &TrainingParams,
    data: &DMatrix,
    progress: &mut (dyn FnMut(Progress) + Send),
    cancel: &AtomicBool,
) -> Result<BoostedModel, HessboostError> {
    let of = request.trees();
    let hook = move |round: hessboost::training::RoundEval<'_>| {
        progress(Progress { trees: round.iteration() + 1, of });
        if cancel.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    Ok(Trainer::new(params, data, of).on_round(hook).train()?.model)
}
