//! `apply`: declare the objects of a file or a folder, or carry out a plan.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bedplate_client::print::{self, Style};
use bedplate_client::{Applied, Manifest, Outcome, Resources};
use bedplate_plan::{Action, Outcome as Verdict, Saved, file};
use bedplate_types::{ErrorKind, Problem};
use clap::Args;
use kube::Client;
use serde::Deserialize;

use super::connect::{asking, client, out};
use super::plan::{self, What};
use crate::cli::Report;
use crate::tell::colours;

/// The field manager of what people apply.
const MANAGER: &str = "bedplate";
/// Where a plan is carried out.
const PATH: &str = "/bedplate/v1/plan/apply";

#[derive(Debug, Args)]
pub struct Apply {
    /// A plan that `bedplate plan -o` kept: done exactly, all of it or nothing, while the state it was made for is there.
    #[arg(value_name = "PLAN", required_unless_present = "filename", conflicts_with_all = ["filename", "prune", "request_approval"])]
    pub plan: Option<PathBuf>,
    /// A manifest, or a folder of them.
    #[arg(short, long, value_name = "PATH")]
    pub filename: Option<PathBuf>,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub what: What,
}

pub async fn run(home: &Path, command: &Apply) -> Result<ExitCode, Problem> {
    let client = client(home)?;
    if let Some(path) = &command.plan {
        let saved = read_plan(path)?;
        return if command.dry_run { show(saved) } else { carry_out(&client, &saved).await };
    }
    let path = command.filename.as_deref().unwrap_or(Path::new("."));
    if command.what.prune || command.dry_run || command.what.request_approval.is_some() {
        return by_plan(&client, path, command).await;
    }
    one_by_one(&client, path, &command.what.namespace).await
}

async fn one_by_one(client: &Client, path: &Path, namespace: &str) -> Result<ExitCode, Problem> {
    let manifests = bedplate_client::load_manifests(path);
    let manifests = manifests.map_err(|error| Problem::of(path.display().to_string(), &error))?;
    let resources = bedplate_client::discover(client).await.map_err(asking("applying"))?;
    let mut stdout = std::io::stdout();
    let style = Style { color: colours(&stdout) };
    let mut all = Vec::with_capacity(manifests.len());
    for manifest in &manifests {
        let applied = declare(client, &resources, manifest, namespace).await?;
        for warning in &applied.warnings {
            eprintln!("warning: {warning}");
        }
        out(print::applied(&mut stdout, std::slice::from_ref(&applied), style))?;
        all.push(applied);
    }
    let changes = all.iter().filter(|one| one.outcome != Outcome::Unchanged).count();
    eprintln!("{changes} change{}: {}", if changes == 1 { "" } else { "s" }, print::summary(&all));
    Ok(ExitCode::SUCCESS)
}

/// Plans, shows what goes, and carries the plan out when nothing speaks against it.
async fn by_plan(client: &Client, path: &Path, command: &Apply) -> Result<ExitCode, Problem> {
    let asked = plan::read(path, &command.what)?;
    let answer = plan::ask(client, &asked, command.what.request_approval.as_deref()).await?;
    if command.dry_run {
        plan::show(&answer, Report::Text)?;
        let fine = matches!(answer.plan.verdict, Verdict::NoChange | Verdict::Changes);
        return Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(answer.plan.exit_code) });
    }
    if !matches!(answer.plan.verdict, Verdict::NoChange | Verdict::Changes) {
        plan::show(&answer, Report::Text)?;
        return Ok(ExitCode::from(answer.plan.exit_code));
    }
    for step in answer.plan.steps.iter().filter(|step| step.action == Action::Delete) {
        eprintln!("pruning {}", step.object());
    }
    carry_out(client, &Saved { plan: answer.plan, asked }).await
}

#[derive(Deserialize)]
struct Done {
    applied: Vec<bedplate_plan::Applied>,
}

async fn carry_out(client: &Client, saved: &Saved) -> Result<ExitCode, Problem> {
    let done: Done = bedplate_client::post(client, PATH, saved).await.map_err(asking("carrying out the plan"))?;
    out(bedplate_plan::print::applied(&mut std::io::stdout(), &done.applied))?;
    eprintln!("{}", bedplate_plan::print::counted(&done.applied));
    Ok(ExitCode::SUCCESS)
}

fn show(saved: Saved) -> Result<ExitCode, Problem> {
    plan::show(&plan::Answer { plan: saved.plan, requested: Vec::new() }, Report::Text)?;
    Ok(ExitCode::SUCCESS)
}

fn read_plan(path: &Path) -> Result<Saved, Problem> {
    let unreadable = |error: std::io::Error| {
        let kind = if error.kind() == std::io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Invalid };
        Problem::new(kind, path.display().to_string(), error.to_string()).with_fix("bedplate plan -f DIR -o plan.bin")
    };
    let mut bytes = Vec::new();
    // One byte more than may be: a longer file is not read to its end.
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(file::LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    file::read(&bytes).map_err(|error| Problem::of(path.display().to_string(), &error))
}

/// Applies one manifest; a refusal names the file and the line.
pub async fn declare(
    client: &Client,
    resources: &Resources,
    manifest: &Manifest,
    namespace: &str,
) -> Result<Applied, Problem> {
    let place = format!("{}:{}", manifest.file.display(), manifest.line);
    let applied = bedplate_client::apply(client, resources, manifest, namespace, MANAGER).await;
    applied.map_err(|error| {
        let problem = Problem::of(format!("{} {} ({place})", manifest.kind(), manifest.name()), &error);
        let fix =
            problem.fix.clone().unwrap_or_else(|| format!("edit {place} and apply it again; nothing of it was stored"));
        problem.with_fix(fix)
    })
}
