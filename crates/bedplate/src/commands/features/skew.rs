//! `features skew` and `features drift`: whether features are served as they were learned, and are today as they were.

use std::path::Path;
use std::process::ExitCode;

use bedplate_client::{FeaturesDrift, FeaturesLimits, FeaturesSkew, features_drift, features_skew};
use bedplate_types::{ErrorKind, Problem, Span};
use clap::Args;
use serde_json::Value;

use super::compared;
use super::window::{Ends, Written};
use crate::cli::Format;
use crate::commands::connect::{asking, client, namespace};

#[derive(Debug, Args)]
pub struct Skew {
    pub view: String,
    /// Compare with the training set of this TrainingRecipe, in its training window, instead of the source.
    #[arg(long, value_name = "RECIPE", conflicts_with_all = ["window", "from", "to"])]
    pub against: Option<String>,
    /// What was served since so long ago, by the hour.
    #[arg(long, value_name = "SPAN", default_value = "24h")]
    pub served: Span,
    /// Compare with the rows of the source that became known in the last of time (7d), or FROM..TO; with all when left out.
    #[arg(long, value_name = "WINDOW")]
    pub window: Option<Written>,
    #[command(flatten)]
    pub ends: Ends,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub struct Drift {
    pub view: String,
    /// The window that is looked at: the last of time (7d), or FROM..TO.
    #[arg(long, value_name = "WINDOW")]
    pub window: Written,
    /// The window it is compared with: FROM..TO, or the last of time.
    #[arg(long, value_name = "WINDOW")]
    pub against: Written,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub struct Common {
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// A feature differs when its normalised Wasserstein or its Jensen-Shannon distance is above this, or the shares without a
    /// value are further apart.
    #[arg(long, value_name = "DISTANCE")]
    pub threshold: Option<f64>,
    /// Say nothing of a feature where one side has fewer rows.
    #[arg(long, value_name = "ROWS")]
    pub least: Option<u64>,
    /// Refuse when the declared version is not this one (its first digits are enough).
    #[arg(long, value_name = "VERSION")]
    pub at_version: Option<String>,
    /// What the values are read for, where the data may be used for some purposes only.
    #[arg(long)]
    pub purpose: Option<String>,
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
}

impl Common {
    fn limits(&self) -> FeaturesLimits {
        FeaturesLimits {
            threshold: self.threshold,
            least: self.least,
            purpose: self.purpose.clone(),
            version: self.at_version.clone(),
        }
    }

    fn show(&self, told: &Value) -> Result<ExitCode, Problem> {
        super::show(self.output, told, compared::plain)?;
        let kind = match told["result"].as_str() {
            Some("Alike") => return Ok(ExitCode::SUCCESS),
            Some("Different") => ErrorKind::Refused,
            _ => ErrorKind::NotReady,
        };
        Ok(ExitCode::from(kind.exit_code()))
    }
}

pub async fn skew(home: &Path, skew: &Skew) -> Result<ExitCode, Problem> {
    let (client, namespace) = (client(home)?, namespace(home, skew.common.namespace.as_deref())?);
    let wanted = FeaturesSkew {
        served: Some(skew.served),
        window: skew.ends.or(skew.window.as_ref()),
        recipe: skew.against.clone(),
        limits: skew.common.limits(),
    };
    let told = features_skew(&client, &namespace, &skew.view, &wanted).await;
    skew.common.show(&told.map_err(asking(format!("feature view {namespace}/{}", skew.view)))?)
}

pub async fn drift(home: &Path, drift: &Drift) -> Result<ExitCode, Problem> {
    let (client, namespace) = (client(home)?, namespace(home, drift.common.namespace.as_deref())?);
    let (window, against) = (drift.window.0.clone(), drift.against.0.clone());
    let wanted = FeaturesDrift { window, against, limits: drift.common.limits() };
    let told = features_drift(&client, &namespace, &drift.view, &wanted).await;
    drift.common.show(&told.map_err(asking(format!("feature view {namespace}/{}", drift.view)))?)
}
