//! The quickstart: starts the platform, declares the use case, waits until all of it is settled, and tells what came of it.
//!
//! It does nothing the platform would not do for the same manifests applied by hand.

mod example;
mod progress;
mod summary;
mod watch;

use std::process::ExitCode;
use std::time::Instant;

use bedplate_types::Problem;

use crate::cli::{Quickstart, Report};
use crate::commands::declare;
use crate::platform::{self, Running};

pub async fn run(home: &std::path::Path, command: Quickstart) -> Result<ExitCode, Problem> {
    let started = Instant::now();
    let running = start(home, &command).await?;
    let outcome = drive(&running, &command, started).await;
    running.stop().await;
    outcome
}

async fn start(home: &std::path::Path, command: &Quickstart) -> Result<Running, Problem> {
    let mut listen = command.listen.clone();
    let folder = example::folder(home, command.from.as_deref())?;
    listen.source_roots.push(folder);
    platform::start(home, &listen).await
}

async fn drive(running: &Running, command: &Quickstart, started: Instant) -> Result<ExitCode, Problem> {
    let folder = example::folder(running.home(), command.from.as_deref())?;
    let manifests = bedplate_client::load_manifests(&folder).map_err(|error| Problem::of("the manifests", &error))?;
    let resources = bedplate_client::discover(running.client()).await;
    let resources = resources.map_err(|error| Problem::of("applying the manifests", &error))?;
    let mut objects = Vec::with_capacity(manifests.len());
    for manifest in &manifests {
        objects.push(declare(running.client(), &resources, manifest, "default").await?);
    }
    let unchanged = objects.iter().all(|applied| applied.outcome == bedplate_client::Outcome::Unchanged);
    let already = unchanged && watch::all_settled(running.client(), &manifests).await?;
    let progress = progress::Progress::start(command.output == Report::Text);
    watch::judge_again(running.client(), &manifests).await?;
    watch::until_settled(running.client(), &manifests, command.timeout, &progress).await?;
    progress.end();
    let summary = summary::gather(running, &manifests, started, already).await?;
    summary.print(command.output);
    Ok(ExitCode::SUCCESS)
}
