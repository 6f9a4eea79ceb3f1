//! `apply`: declare the objects of a file or a folder.

use std::path::Path;
use std::process::ExitCode;

use bedplate_client::print::{self, Style};
use bedplate_client::{Applied, Manifest, Resources};
use bedplate_types::Problem;
use kube::Client;

use super::connect::{asking, client, out};
use crate::cli::Apply;
use crate::tell::colours;

/// The field manager of what people apply.
const MANAGER: &str = "bedplate";

pub async fn run(home: &Path, command: &Apply) -> Result<ExitCode, Problem> {
    let manifests = bedplate_client::load_manifests(&command.filename);
    let manifests = manifests.map_err(|error| Problem::of(command.filename.display().to_string(), &error))?;
    let client = client(home)?;
    let resources = bedplate_client::discover(&client).await.map_err(asking("applying"))?;
    let mut stdout = std::io::stdout();
    let style = Style { color: colours(&stdout) };
    for manifest in &manifests {
        let applied = declare(&client, &resources, manifest, &command.namespace).await?;
        for warning in &applied.warnings {
            eprintln!("warning: {warning}");
        }
        out(print::applied(&mut stdout, &[applied], style))?;
    }
    Ok(ExitCode::SUCCESS)
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
