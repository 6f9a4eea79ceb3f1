//! The worker: one task in a process of its own, which ends when the platform that started it is gone.

mod frame;
mod http;
mod replay;
mod train;

use std::path::Path;
use std::process::ExitCode;

use bedplate_types::{ErrorKind, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cli::{Worker, WorkerTask};
use crate::home::write_private;

pub fn run(worker: &Worker) -> Result<ExitCode, Problem> {
    // Nothing may outlive the platform: it could be started again and start this very task again.
    bedplate_exec::worker::watch_parent(std::io::stdin(), || std::process::exit(70))
        .map_err(|error| Problem::new(ErrorKind::Internal, "watching the platform", error.to_string()))?;
    match worker.task {
        WorkerTask::Train => task(&worker.folder, train::run),
        WorkerTask::Replay => task(&worker.folder, replay::run),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn task<J: DeserializeOwned, R: Serialize>(
    folder: &Path,
    run: impl FnOnce(J) -> Result<R, Problem>,
) -> Result<(), Problem> {
    let path = folder.join("job.json");
    let bytes = std::fs::read(&path).map_err(|error| crate::home::unusable(&path, &error))?;
    let job = serde_json::from_slice(&bytes)
        .map_err(|error| Problem::new(ErrorKind::Corrupt, path.display().to_string(), error.to_string()))?;
    let result = serde_json::to_vec_pretty(&run(job)?)
        .map_err(|error| Problem::new(ErrorKind::Internal, "the task's result", error.to_string()))?;
    write_private(&folder.join("result.json"), &result)
}
