//! `drift`: what was changed outside of the manifests, by whom and when.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bedplate_plan::print::{self, Style};
use bedplate_types::Problem;
use clap::Args;

use super::connect::{client, out};
use super::plan::{self, What};
use crate::cli::Report;
use crate::tell::colours;

#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 no drift · 2 drift; otherwise those of bedplate --help.")]
pub struct Drift {
    /// A manifest, or a folder of them.
    #[arg(short, long, value_name = "PATH")]
    pub filename: PathBuf,
    /// For objects that name none.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    #[arg(short, long, value_enum, default_value_t = Report::Text)]
    pub output: Report,
}

pub async fn run(home: &Path, command: &Drift) -> Result<ExitCode, Problem> {
    let what = What { namespace: command.namespace.clone(), prune: false, selector: None, request_approval: None };
    let asked = plan::read(&command.filename, &what)?;
    let answer = plan::ask(&client(home)?, &asked, None).await?;
    let drift = bedplate_plan::Drift::of(&answer.plan);
    let mut stdout = std::io::stdout();
    match command.output {
        Report::Json => {
            let told = serde_json::to_value(&drift).unwrap_or_default();
            out(bedplate_client::print::json(&mut stdout, &told))?;
        }
        Report::Text => {
            let style = Style { color: colours(&stdout) };
            out(print::drift(&mut stdout, &drift, style))?;
        }
    }
    Ok(ExitCode::from(drift.exit_code()))
}
