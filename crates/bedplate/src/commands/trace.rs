//! `trace`: where a thing comes from, or what came of it.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use bedplate_client::{Direction, print};
use bedplate_types::{ErrorKind, Problem};
use serde_json::Value;

use super::connect::{asking, client, out};
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
    match command.output {
        Some(TraceFormat::Yaml) => out(print::yaml(&mut stdout, &graph))?,
        Some(_) => out(print::json(&mut stdout, &graph))?,
        None => out(tree(&mut stdout, &graph, command.impact))?,
    };
    Ok(ExitCode::SUCCESS)
}

/// The graph as a tree from its first node; what was told already is only named again.
fn tree(out: &mut dyn std::io::Write, graph: &Value, impact: bool) -> std::io::Result<()> {
    let edges: Vec<(&str, &str)> = graph["edges"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|edge| Some((edge["from"].as_str()?, edge["to"].as_str()?)))
        .map(|(from, to)| if impact { (from, to) } else { (to, from) })
        .collect();
    let targets: HashSet<_> = edges.iter().map(|edge| edge.1).collect();
    let roots = edges.iter().map(|edge| edge.0).filter(|node| !targets.contains(node));
    let mut told = HashSet::new();
    for root in roots.collect::<std::collections::BTreeSet<_>>() {
        branch(out, &edges, root, 0, &mut told)?;
    }
    Ok(())
}

fn branch<'a>(
    out: &mut dyn std::io::Write,
    edges: &[(&'a str, &'a str)],
    node: &'a str,
    depth: usize,
    told: &mut HashSet<&'a str>,
) -> std::io::Result<()> {
    let again = !told.insert(node);
    let mark = if again && edges.iter().any(|edge| edge.0 == node) { " (see above)" } else { "" };
    writeln!(out, "{}{node}{mark}", "  ".repeat(depth))?;
    if again {
        return Ok(());
    }
    for (_, next) in edges.iter().filter(|edge| edge.0 == node) {
        branch(out, edges, next, depth + 1, told)?;
    }
    Ok(())
}
