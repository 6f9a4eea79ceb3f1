//! What a view's features are in its source, and in a training set, for who asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bedplate_features::ViewDefinition;
use bedplate_kinds::{FeatureView, Phase, TrainingRecipe, Window};
use bedplate_offline::{View, full_feature_name};
use bedplate_statistics::{Gathered, gather};
use bedplate_types::{Digest, ErrorKind, NamespacedName, Problem};

use crate::core::{Platform, full_name};
use crate::feature_view::{self, online_id};
use crate::hold::{Hold, failed};
use crate::jobs::FEATURE_PREFIX;
use crate::monitor::numbers;
use crate::parity::problem;
use crate::snapshot::Snapshot;
use crate::training_set::within;

/// A view as it is declared now, with the versions of its tables.
#[derive(Clone, Debug)]
pub struct Declared {
    pub name: NamespacedName,
    pub version: Digest,
    pub view: View,
}

/// The values of a view's features in a training set.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Digest of the training set.
    pub training_set: String,
    /// By feature of the view, of those that are in it; NaN where a row has none.
    pub values: BTreeMap<String, Vec<f64>>,
}

/// # Errors
/// `NotReady` when what it is made of is not.
pub async fn declared(platform: &Platform, view: &FeatureView) -> Result<Declared, Problem> {
    let name = full_name(view);
    let of = |hold: Hold| problem(what(&name), &name, hold);
    let definition = feature_view::definition(platform, view, &name).await.map_err(of)?;
    let tables = feature_view::tables(platform, &name.namespace, &view.spec.source.datasets).await.map_err(of)?;
    let version = definition.version(&view.spec.source.sql);
    let view = feature_view::source(view, definition, tables.refs);
    Ok(Declared { name, version, view })
}

impl Declared {
    #[must_use]
    pub fn definition(&self) -> &ViewDefinition {
        &self.view.definition
    }

    /// What the online store, and what was served, is called by.
    #[must_use]
    pub fn online_id(&self) -> String {
        online_id(&self.name, &self.version)
    }

    /// The statistics of each window, on the verifier's thread, one view at a time. Reads the source once a window.
    ///
    /// # Errors
    /// What fails while it is read.
    pub async fn statistics(&self, platform: &Platform, windows: Vec<Window>) -> Result<Vec<Gathered>, Problem> {
        let (lake, view, name) = (platform.lake.clone(), self.view.clone(), self.name.clone());
        let work = async move {
            let mut found = Vec::new();
            for window in windows {
                let gathered = gather(&lake, &view, &window).await;
                found.push(gathered.map_err(|error| Problem::of(what(&name), &error))?);
            }
            Ok(found)
        };
        platform.verifier.run(work).await?
    }

    /// What the view's features are in the training window of a recipe's newest training set.
    ///
    /// # Errors
    /// `NotReady` when there is none; `Invalid` when it was made of another version of the view, or without it.
    pub async fn trained(&self, platform: &Arc<Platform>, recipe: &TrainingRecipe) -> Result<Trained, Problem> {
        let of_recipe = full_name(recipe);
        let what = format!("the training set of recipe {of_recipe}");
        let status = recipe.status.clone().unwrap_or_default();
        if status.training_set.is_empty() {
            let why = if status.phase == Phase::Failed { "its recipe failed" } else { "it is not made yet" };
            return Err(Problem::new(ErrorKind::NotReady, what, why)
                .with_fix(format!("bedplate describe trainingrecipe {} -n {}", of_recipe.name, of_recipe.namespace)));
        }
        let snapshot =
            Snapshot::load(platform, &status.training_set).map_err(|hold| problem(what.clone(), &self.name, hold))?;
        self.is_of_this_version(&snapshot, &what)?;
        let columns: Vec<(String, String)> = (self.definition().features.iter())
            .map(|feature| (feature.name.clone(), full_feature_name(&self.name.name, &feature.name)))
            .filter(|(_, full)| snapshot.signature.features.contains(full))
            .collect();
        let (path, train) = (snapshot.path(platform), recipe.spec.split.train.clone());
        let time = snapshot.signature.timestamp_column;
        let read = platform.heavy(move || {
            let batches = bedplate_query::snapshot::read_snapshot(&path).map_err(failed("reading the training set"))?;
            let rows = batches.iter().map(|batch| within(batch, &time, &train)).collect::<Result<Vec<_>, _>>()?;
            columns.into_iter().map(|(name, full)| Ok((name, column(&rows, &full)?))).collect()
        });
        let values = read.await.map_err(|hold| problem(what, &self.name, hold))?;
        Ok(Trained { training_set: status.training_set, values })
    }

    /// Of another version a feature of the same name is another feature.
    fn is_of_this_version(&self, snapshot: &Snapshot, what: &str) -> Result<(), Problem> {
        match snapshot.signature.view_versions.get(&self.name.name) {
            Some(version) if *version == self.version.to_string() => Ok(()),
            Some(version) => {
                let why = format!(
                    "it was made of version {version} of feature view {}, which is now {}",
                    self.name, self.version
                );
                Err(Problem::new(ErrorKind::Invalid, what, why).with_fix("train anew, or leave the training set out"))
            }
            None => {
                let why = format!("it has no features of feature view {}", self.name);
                Err(Problem::new(ErrorKind::Invalid, what, why).with_fix("leave the training set out: --window alone"))
            }
        }
    }
}

fn column(rows: &[RecordBatch], feature: &str) -> Result<Vec<f64>, Hold> {
    numbers(rows, &format!("{FEATURE_PREFIX}{feature}"))
}

fn what(name: &NamespacedName) -> String {
    format!("the statistics of feature view {name}")
}
