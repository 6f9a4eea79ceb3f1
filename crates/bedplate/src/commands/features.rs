//! `features`: whether what the feature store serves is right, what its features are, and how far they moved.

mod compared;
mod skew;
mod statistics;
mod told;
mod verified;
mod verify;
mod window;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use bedplate_client::print;
use bedplate_types::Problem;
use clap::{Args, Subcommand};
use serde_json::Value;

use super::connect::out;
use crate::cli::Format;

#[derive(Debug, Args)]
pub struct Features {
    #[command(subcommand)]
    pub command: FeaturesCommand,
}

#[derive(Debug, Subcommand)]
pub enum FeaturesCommand {
    /// Compare a sample of online values with the offline truth, to the last bit. Ends with 9 when some differ.
    Verify(verify::Verify),
    /// Show what the features of a view are in its source, or what was served of them: how many are missing, their spread.
    Stats(statistics::Stats),
    /// Compare what was served with the source, or with a training set. Ends with 9 when a feature is served otherwise, with 7
    /// when too little was served to say.
    Skew(skew::Skew),
    /// Compare the features of two windows of the source. Ends with 9 when one differs, with 7 when there is too little to say.
    Drift(skew::Drift),
}

pub async fn run(home: &Path, command: &Features) -> Result<ExitCode, Problem> {
    match &command.command {
        FeaturesCommand::Verify(verify) => verify::run(home, verify).await,
        FeaturesCommand::Stats(stats) => statistics::run(home, stats).await,
        FeaturesCommand::Skew(skew) => skew::skew(home, skew).await,
        FeaturesCommand::Drift(drift) => skew::drift(home, drift).await,
    }
}

fn show(
    output: Option<Format>,
    told: &Value,
    plain: impl FnOnce(&mut dyn Write, &Value) -> std::io::Result<()>,
) -> Result<(), Problem> {
    let mut stdout = std::io::stdout();
    match output {
        Some(Format::Json) => out(print::json(&mut stdout, told)),
        Some(Format::Yaml) => out(print::yaml(&mut stdout, told)),
        _ => out(plain(&mut stdout, told)),
    }
    .map(drop)
}

/// What a person reads, with one space where columns are apart.
#[cfg(test)]
fn lines(plain: impl FnOnce(&mut dyn Write, &Value) -> std::io::Result<()>, told: &Value) -> Vec<String> {
    let mut out = Vec::new();
    plain(&mut out, told).unwrap();
    let text = String::from_utf8(out).unwrap();
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
