//! `crds`: print the kinds' definitions, for a real cluster to take.

use std::process::ExitCode;

use bedplate_client::print;
use bedplate_kinds::registry::{Kind, kinds};
use bedplate_types::{ErrorKind, Problem};
use clap::Args;
use serde_json::{Value, json};

use super::connect::out;

#[derive(Debug, Args)]
pub struct Crds {
    /// Kinds to print: datasets, ds, Endpoint, …; all of them when left out.
    pub kinds: Vec<String>,
    #[arg(short, long, value_enum, default_value_t = Form::Yaml)]
    pub output: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// One document a kind.
    Yaml,
    /// One List.
    Json,
    /// Their names, one a line.
    Name,
}

/// Needs no home and no platform.
pub fn run(command: &Crds) -> Result<ExitCode, Problem> {
    let kinds = wanted(&command.kinds)?;
    let definitions = kinds.iter().map(|kind| serde_json::to_value(&kind.definition)).collect::<Result<Vec<_>, _>>();
    let definitions =
        definitions.map_err(|error| Problem::new(ErrorKind::Internal, "a kind's definition", error.to_string()))?;
    out(write(&mut std::io::stdout(), command.output, &definitions))?;
    Ok(ExitCode::SUCCESS)
}

fn wanted(names: &[String]) -> Result<Vec<Kind>, Problem> {
    if names.is_empty() {
        return Ok(kinds());
    }
    names.iter().map(|name| one(name)).collect()
}

fn one(name: &str) -> Result<Kind, Problem> {
    let asked = name.to_lowercase();
    let is_asked = |kind: &Kind| {
        let names = &kind.definition.spec.names;
        let short = names.short_names.iter().flatten().any(|short| *short == asked);
        short || names.plural == asked || names.kind.to_lowercase() == asked
    };
    kinds().into_iter().find(is_asked).ok_or_else(|| {
        Problem::new(ErrorKind::NotFound, format!("kind {name}"), "bedplate has no kind of that name")
            .with_fix("bedplate crds -o name")
    })
}

fn write(to: &mut impl std::io::Write, form: Form, definitions: &[Value]) -> std::io::Result<()> {
    match form {
        Form::Json => print::json(to, &json!({ "apiVersion": "v1", "kind": "List", "items": definitions })),
        Form::Name => definitions.iter().try_for_each(|one| {
            let name = one["metadata"]["name"].as_str().unwrap_or_default();
            writeln!(to, "customresourcedefinition.apiextensions.k8s.io/{name}")
        }),
        Form::Yaml => definitions.iter().try_for_each(|one| {
            writeln!(to, "---")?;
            print::yaml(to, one)
        }),
    }
}
