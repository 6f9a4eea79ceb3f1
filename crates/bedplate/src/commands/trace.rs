//! `trace`: where a thing comes from, or what came of it.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use bedplate_client::{Direction, print};
use bedplate_types::{ErrorKind, Problem};
use serde_json::Value;

use super::connect::{asking, client, out};
use super::tree::{cut, tree};
use crate::cli::{Trace, TraceFormat};

pub async fn run(home: &Path, command: &Trace) -> Result<ExitCode, Problem> {
    let client = client(home)?;
    let direction = if command.impact { Direction::Downstream } else { Direction::Upstream };
    let form = match command.output {
        Some(TraceFormat::Dot) => Some("dot"),
        Some(TraceFormat::Openlineage) => Some("openlineage"),
        _ => None,
    };
    let told = bedplate_client::trace(&client, &command.node, direction, form);
    let told = told.await.map_err(asking(format!("tracing {}", command.node)))?;
    let mut stdout = std::io::stdout();
    if command.output == Some(TraceFormat::Dot) {
        out(stdout.write_all(told.as_bytes()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let graph: Value = serde_json::from_str(&told)
        .map_err(|error| Problem::new(ErrorKind::Internal, "the platform's answer", error.to_string()))?;
    cut(&graph);
    match command.output {
        Some(TraceFormat::Yaml) => out(print::yaml(&mut stdout, &graph))?,
        Some(_) => out(print::json(&mut stdout, &graph))?,
        None => out(tree(&mut stdout, &graph, command.impact))?,
    };
    Ok(ExitCode::SUCCESS)
}
