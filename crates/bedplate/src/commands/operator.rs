//! `operator`: the same platform with a real cluster's API server in place of its own.

use std::path::Path;
use std::process::ExitCode;

use bedplate_types::Problem;
use clap::Args;

use super::up::Stop;
use crate::cli::Listen;
use crate::cluster::ClusterOptions;
use crate::platform;

#[derive(Debug, Args)]
pub struct Operator {
    #[command(flatten)]
    pub cluster: ClusterOptions,
    #[command(flatten)]
    pub listen: Listen,
}

pub async fn run(home: &Path, mut command: Operator) -> Result<ExitCode, Problem> {
    if command.listen.source_roots.is_empty() {
        // A pod's working folder is no place people meant to open.
        let sources = home.join("sources");
        std::fs::create_dir_all(&sources).map_err(|error| crate::home::unusable(&sources, &error))?;
        command.listen.source_roots.push(sources);
    }
    let stop = Stop::heed()?;
    let running = platform::start_on(home, &command.listen, Some(&command.cluster)).await?;
    eprintln!("the operator is up on {} (home {})", running.control_url, running.home().display());
    eprintln!("  cluster    {}", running.cluster_url.as_deref().unwrap_or_default());
    eprintln!("  inference  {}", running.inference_url);
    if let Some(url) = &running.flight_url {
        eprintln!("  flight sql {url}");
    }
    if let Some(url) = &running.s3_url {
        eprintln!("  s3         {url}");
    }
    if let Some(engines) = command.listen.told_engines() {
        eprintln!("  sql runs   on {engines}");
    }
    if let Some(url) = &running.webhook_url {
        eprintln!("  webhook    {url}/admit");
    }
    eprintln!("ready");
    stop.told().await;
    eprintln!("stopping");
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}
