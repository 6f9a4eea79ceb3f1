//! `up`: start the platform and stay until told to stop.

use std::path::Path;
use std::process::ExitCode;

use bedplate_types::{ErrorKind, Problem};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Up;
use crate::platform;

pub async fn run(home: &Path, command: &Up) -> Result<ExitCode, Problem> {
    command.witnesses.check()?;
    let mut running = platform::start(home, &command.listen).await?;
    running.ask_witnesses(&command.witnesses)?;
    eprintln!("bedplate is up on {} (home {})", running.control_url, running.home().display());
    eprintln!("  inference  {}", running.inference_url);
    eprintln!("  console    {}", running.console_url()?);
    eprintln!("  kubectl    export KUBECONFIG={}", running.kubeconfig().display());
    eprintln!("ready");
    told_to_stop().await?;
    eprintln!("stopping");
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

pub async fn told_to_stop() -> Result<(), Problem> {
    let of = |error: std::io::Error| Problem::new(ErrorKind::Internal, "waiting for a signal", error.to_string());
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt()).map_err(of)?, signal(SignalKind::terminate()).map_err(of)?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
