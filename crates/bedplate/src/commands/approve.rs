//! `approve`: agree to a change that waits for it, or reject it.

use std::path::Path;
use std::process::ExitCode;

use bedplate_types::Problem;
use clap::Args;
use serde_json::{Value, json};

use super::connect::{asking, client, namespace};

#[derive(Debug, Args)]
pub struct Approve {
    /// The approval, as `bedplate get approvals` and the plan name it.
    pub name: String,
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Say no: one is enough to end the request.
    #[arg(long)]
    pub reject: bool,
    /// Why.
    #[arg(short = 'm', long, default_value = "")]
    pub comment: String,
}

pub async fn run(home: &Path, command: &Approve) -> Result<ExitCode, Problem> {
    let namespace = namespace(home, command.namespace.as_deref())?;
    let segment = bedplate_client::segment;
    let path = format!("/bedplate/v1/namespaces/{}/approvals/{}/vote", segment(&namespace), segment(&command.name));
    let decision = if command.reject { "reject" } else { "approve" };
    let body = json!({ "decision": decision, "comment": command.comment });
    let voted: Value = bedplate_client::post(&client(home)?, &path, &body)
        .await
        .map_err(asking(format!("approval {}", command.name)))?;
    let state = voted["status"]["state"].as_str().unwrap_or("Waiting").to_lowercase();
    println!("approval.bedplate.dev/{} {state}", command.name);
    Ok(ExitCode::SUCCESS)
}
