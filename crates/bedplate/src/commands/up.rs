//! `up`: start the platform and stay until told to stop.

use std::path::Path;
use std::process::ExitCode;

use bedplate_types::{ErrorKind, Problem};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::Up;
use crate::platform;

pub async fn run(home: &Path, command: &Up) -> Result<ExitCode, Problem> {
    command.witnesses.check()?;
    let stop = Stop::heed()?;
    let mut running = platform::start(home, &command.listen).await?;
    running.ask_witnesses(&command.witnesses)?;
    eprintln!("bedplate is up on {} (home {})", running.control_url, running.home().display());
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
    eprintln!("  console    {}", running.console_url()?);
    eprintln!("  kubectl    export KUBECONFIG={}", running.kubeconfig().display());
    eprintln!("ready");
    stop.told().await;
    eprintln!("stopping");
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// The signals that end the platform.
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Heeds them from now on: without this they end the process wherever it is.
    pub fn heed() -> Result<Self, Problem> {
        let of = |error: std::io::Error| Problem::new(ErrorKind::Internal, "heeding signals", error.to_string());
        let heed = |kind| signal(kind).map_err(of);
        Ok(Self { interrupt: heed(SignalKind::interrupt())?, terminate: heed(SignalKind::terminate())? })
    }

    /// Returns once one came; at once when it came before.
    pub async fn told(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
