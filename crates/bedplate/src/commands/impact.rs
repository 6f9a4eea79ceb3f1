//! `impact`: what stands on a dataset, or on one of its columns.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use bedplate_client::print;
use bedplate_types::{ErrorKind, Problem};
use clap::Args;
use serde_json::Value;

use super::connect::{asking, client, namespace, out};
use super::tree::{cut, tree};
use crate::cli::TraceFormat;

#[derive(Debug, Args)]
pub struct Impact {
    /// A dataset, or one of its columns: flights, flights.arr_delay
    pub dataset: String,
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// So many steps at most.
    #[arg(long)]
    pub depth: Option<usize>,
    #[arg(short, long, value_enum)]
    pub output: Option<TraceFormat>,
}

pub async fn run(home: &Path, command: &Impact) -> Result<ExitCode, Problem> {
    let client = client(home)?;
    let namespace = namespace(home, command.namespace.as_deref())?;
    let (dataset, column) = parts(&command.dataset);
    let form = match command.output {
        Some(TraceFormat::Dot) => Some("dot"),
        Some(TraceFormat::Openlineage) => Some("openlineage"),
        _ => None,
    };
    let told = bedplate_client::impact(&client, &namespace, dataset, column, command.depth, form).await;
    let told = told.map_err(asking(format!("the impact of {}", command.dataset)))?;
    let mut stdout = std::io::stdout();
    if command.output == Some(TraceFormat::Dot) {
        out(stdout.write_all(told.as_bytes()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let told: Value = serde_json::from_str(&told)
        .map_err(|error| Problem::new(ErrorKind::Internal, "the platform's answer", error.to_string()))?;
    cut(&told["graph"]);
    match command.output {
        Some(TraceFormat::Yaml) => out(print::yaml(&mut stdout, &told))?,
        Some(_) => out(print::json(&mut stdout, &told))?,
        None => out(plain(&mut stdout, &command.dataset, &told))?,
    };
    Ok(ExitCode::SUCCESS)
}

/// A dataset's name has no dot where its columns are asked for: the first one parts them.
fn parts(asked: &str) -> (&str, Option<&str>) {
    asked.split_once('.').map_or((asked, None), |(dataset, column)| (dataset, Some(column)))
}

/// Who depends, a line each, and the ways there.
fn plain(out: &mut dyn Write, asked: &str, told: &Value) -> std::io::Result<()> {
    let mut any = false;
    for sort in ["features", "recipes", "models", "endpoints", "monitors"] {
        for one in told["dependants"][sort].as_array().into_iter().flatten() {
            any = true;
            let how = if one["direct"] == true { "" } else { "  (decides which values there are)" };
            writeln!(out, "{:<9} {}{how}", sort.trim_end_matches('s'), one["name"].as_str().unwrap_or_default())?;
        }
    }
    if !any {
        return writeln!(out, "nothing stands on {asked}");
    }
    writeln!(out)?;
    tree(out, &told["graph"], true)
}
