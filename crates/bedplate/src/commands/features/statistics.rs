//! `features stats`: what a view's features are.

use std::path::Path;
use std::process::ExitCode;

use bedplate_client::{FeaturesStatistics, features_statistics};
use bedplate_types::Problem;
use clap::Args;

use super::told;
use super::window::{Ends, Written};
use crate::cli::Format;
use crate::commands::connect::{asking, client, namespace};

#[derive(Debug, Args)]
pub struct Stats {
    pub view: String,
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// What was served, instead of what the source has.
    #[arg(long)]
    pub served: bool,
    /// Refuse when the declared version is not this one (its first digits are enough).
    #[arg(long, value_name = "VERSION")]
    pub at_version: Option<String>,
    /// Of the rows that became known in the last of time (7d), or FROM..TO; of all rows when left out. Of what was served: when
    /// it was served, by the hour; the last 24h when left out.
    #[arg(long, value_name = "WINDOW")]
    pub window: Option<Written>,
    #[command(flatten)]
    pub ends: Ends,
    /// What the values are read for, where the data may be used for some purposes only.
    #[arg(long)]
    pub purpose: Option<String>,
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
}

pub async fn run(home: &Path, stats: &Stats) -> Result<ExitCode, Problem> {
    let (client, namespace) = (client(home)?, namespace(home, stats.namespace.as_deref())?);
    let wanted = FeaturesStatistics {
        version: stats.at_version.clone(),
        window: stats.ends.or(stats.window.as_ref()),
        served: stats.served,
        purpose: stats.purpose.clone(),
    };
    let found = features_statistics(&client, &namespace, &stats.view, &wanted).await;
    let found = found.map_err(asking(format!("feature view {namespace}/{}", stats.view)))?;
    super::show(stats.output, &found, told::plain)?;
    Ok(ExitCode::SUCCESS)
}
