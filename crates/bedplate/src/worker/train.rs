//! Fit, test, write the model.

use std::collections::BTreeMap;

use bedplate_controllers::{TrainJob, TrainResult};
use bedplate_delivery::{auc, brier, log_loss, single_feature_auc};
use bedplate_kinds::Window;
use bedplate_types::{ErrorKind, Problem, Timestamp};

use super::frame;
use crate::home::write_private;

/// One window of the split, column by column.
struct Part {
    features: Vec<Vec<f64>>,
    labels: Vec<bool>,
}

pub fn run(job: TrainJob) -> Result<TrainResult, Problem> {
    let batch = frame::read(&job.training_set)?;
    let times = frame::times(&batch, &job.timestamp)?;
    let labels = frame::numbers(&batch, &job.label)?;
    let columns: Vec<_> = job.features.iter().map(|name| frame::feature(&batch, name)).collect::<Result<_, _>>()?;
    let part = |window: &Window| take(window, times.values(), &columns, &labels);
    let (train, test) = (part(&job.train), part(&job.test));
    drop(batch);
    for (name, part) in [("train", &train), ("test", &test)] {
        if !(part.labels.contains(&true) && part.labels.contains(&false)) {
            let why = format!("its {} rows do not have both labels", part.labels.len());
            return Err(
                Problem::new(ErrorKind::Invalid, format!("the {name} window"), why).with_fix("widen spec.split")
            );
        }
    }
    println!("training on {} rows, {} features", train.labels.len(), job.features.len());
    let model = fit(&job, &train)?;
    let bytes = model.to_onnx();
    write_private(&job.model, &bytes)?;
    test_model(&job, &bytes, &train, &test, model.n_trees() as u64)
}

fn take(window: &Window, times: &[i64], columns: &[Vec<f64>], labels: &[f64]) -> Part {
    let rows: Vec<usize> =
        (0..times.len()).filter(|row| window.contains(Timestamp::from_micros(times[*row]))).collect();
    Part {
        features: columns.iter().map(|column| rows.iter().map(|row| column[*row]).collect()).collect(),
        labels: rows.iter().map(|row| labels[*row] > 0.5).collect(),
    }
}

fn fit(job: &TrainJob, train: &Part) -> Result<bedplate_train::TreeModel, Problem> {
    let labels: Vec<f64> = train.labels.iter().map(|label| f64::from(u8::from(*label))).collect();
    let request = bedplate_train::FitRequest {
        features: &train.features,
        labels: &labels,
        feature_names: &job.features,
        budget: job.algorithm.budget,
        seed: job.algorithm.seed,
        max_trees: job.algorithm.max_trees,
        threads: 0,
    };
    let mut progress = |at: bedplate_train::Progress| {
        if at.trees.is_multiple_of(25) {
            println!("{} of at most {} trees", at.trees, at.of);
        }
    };
    // The platform ends the whole process to cancel it.
    let cancelled = std::sync::atomic::AtomicBool::new(false);
    bedplate_train::fit(&request, &mut progress, &cancelled).map_err(|error| Problem::of("fitting the model", &error))
}

/// The metrics are those of the file as it will be served, not of the trainer's own model.
fn test_model(job: &TrainJob, bytes: &[u8], train: &Part, test: &Part, trees: u64) -> Result<TrainResult, Problem> {
    let model = bedplate_infer::Model::load(bytes).map_err(|error| Problem::of("loading the trained model", &error))?;
    let scores = model
        .predict(&row_major(&test.features, test.labels.len()), job.features.len())
        .map_err(|error| Problem::of("testing the model", &error))?;
    let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
    let metrics = [
        ("auc", auc(&scores, &test.labels)),
        ("logLoss", log_loss(&scores, &test.labels)),
        ("brier", brier(&scores, &test.labels)),
    ];
    let metrics: BTreeMap<_, _> =
        metrics.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    println!("tested on {} rows: {metrics:?}", test.labels.len());
    let alone = job.features.iter().zip(&test.features);
    Ok(TrainResult {
        metrics,
        single_feature_auc: alone
            .filter_map(|(name, values)| Some((name.clone(), single_feature_auc(values, &test.labels)?)))
            .collect(),
        train_rows: train.labels.len() as u64,
        test_rows: test.labels.len() as u64,
        trees,
    })
}

#[expect(clippy::cast_possible_truncation, reason = "the values were rounded to f32 when they were read")]
fn row_major(columns: &[Vec<f64>], rows: usize) -> Vec<f32> {
    let mut flat = Vec::with_capacity(rows * columns.len());
    for row in 0..rows {
        flat.extend(columns.iter().map(|column| column[row] as f32));
    }
    flat
}
