//! `logs`: what a workload wrote.

use std::path::Path;
use std::process::ExitCode;

use bedplate_client::Follow;
use bedplate_types::Problem;

use super::connect::{asking, client};
use crate::cli::Logs;

pub async fn run(home: &Path, command: &Logs) -> Result<ExitCode, Problem> {
    let client = client(home)?;
    let follow = if command.follow { Follow::Yes } else { Follow::No };
    let what = format!("the log of workload {}", command.workload);
    let copied =
        bedplate_client::logs(&client, &command.namespace, &command.workload, follow, &mut std::io::stdout()).await;
    copied.map_err(asking(what))?;
    Ok(ExitCode::SUCCESS)
}
