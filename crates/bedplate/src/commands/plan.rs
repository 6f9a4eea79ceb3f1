//! `plan`: what an apply would do to every object, asked of the server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bedplate_plan::print::{self, Style};
use bedplate_plan::{Asked, Manifest, Plan as Planned, Saved, file};
use bedplate_types::{ErrorKind, Problem};
use clap::Args;
use kube::Client;
use serde::Deserialize;
use serde_json::json;

use super::connect::{asking, client, out};
use crate::cli::Report;
use crate::home::write_private;
use crate::tell::colours;

/// Where a plan is asked for.
const PATH: &str = "/bedplate/v1/plan";

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes of a plan: 0 no change · 2 changes · 3 denied, or a manifest is wrong · 4 approval needed · 5 over \
budget; the strongest counts: denied, over budget, approval needed, changes. When no plan could be made, the general codes of \
bedplate --help apply."
)]
pub struct Plan {
    /// A manifest, or a folder of them.
    #[arg(short, long, value_name = "PATH")]
    pub filename: PathBuf,
    /// Keep the plan in this file, readable by you only, for `bedplate apply FILE`.
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Report::Text)]
    pub output: Report,
    #[command(flatten)]
    pub what: What,
}

/// What is planned besides the manifests.
#[derive(Debug, Args)]
pub struct What {
    /// For objects that name none.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// Delete what bears the selector's labels, was applied by bedplate and is no longer among the manifests.
    #[arg(long, requires = "selector")]
    pub prune: bool,
    /// Labels of what may be pruned: app=fraud
    #[arg(short = 'l', long)]
    pub selector: Option<String>,
    /// Ask for the approvals that are needed, and say why the change is wanted.
    #[arg(long, value_name = "REASON")]
    pub request_approval: Option<String>,
}

#[derive(Deserialize)]
pub struct Answer {
    pub plan: Planned,
    pub requested: Vec<String>,
}

pub async fn run(home: &Path, command: &Plan) -> Result<ExitCode, Problem> {
    let asked = read(&command.filename, &command.what)?;
    let answer = ask(&client(home)?, &asked, command.what.request_approval.as_deref()).await?;
    if let Some(path) = &command.out {
        keep(path, &Saved { plan: answer.plan.clone(), asked })?;
    }
    show(&answer, command.output)?;
    Ok(ExitCode::from(answer.plan.exit_code))
}

/// The manifests, and what goes with them.
pub fn read(path: &Path, what: &What) -> Result<Asked, Problem> {
    let manifests = bedplate_client::load_manifests(path);
    let manifests = manifests.map_err(|error| Problem::of(path.display().to_string(), &error))?;
    let prune = what.selector.clone().filter(|_| what.prune);
    Ok(Asked {
        manifests: manifests.iter().map(manifest).collect::<Result<_, _>>()?,
        namespace: what.namespace.clone(),
        prune,
    })
}

pub fn manifest(found: &bedplate_client::Manifest) -> Result<Manifest, Problem> {
    let source = format!("{}:{}", found.file.display(), found.line);
    match serde_json::to_value(&found.object) {
        Ok(object) => Ok(Manifest { object, source }),
        Err(error) => Err(Problem::new(ErrorKind::Invalid, source, error.to_string())),
    }
}

pub async fn ask(client: &Client, asked: &Asked, request_approval: Option<&str>) -> Result<Answer, Problem> {
    let body = json!({ "manifests": asked.manifests, "namespace": asked.namespace, "prune": asked.prune,
        "requestApproval": request_approval });
    bedplate_client::post(client, PATH, &body).await.map_err(asking("planning"))
}

pub fn show(answer: &Answer, output: Report) -> Result<(), Problem> {
    let mut stdout = std::io::stdout();
    match output {
        Report::Json => {
            let plan = serde_json::to_value(&answer.plan).unwrap_or_default();
            out(bedplate_client::print::json(&mut stdout, &plan))?;
        }
        Report::Text => {
            let style = Style { color: colours(&stdout) };
            out(print::plan(&mut stdout, &answer.plan, style))?;
        }
    }
    for waiting in &answer.requested {
        let (namespace, name) = waiting.split_once('/').unwrap_or(("default", waiting));
        eprintln!("approval asked for: bedplate approve {name} -n {namespace}");
    }
    Ok(())
}

fn keep(path: &Path, saved: &Saved) -> Result<(), Problem> {
    let bytes = file::write(saved).map_err(|error| Problem::of(path.display().to_string(), &error))?;
    write_private(path, &bytes)
}
