//! `search`: the catalogue, by words.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use bedplate_client::{SearchQuery, print};
use bedplate_types::Problem;
use clap::Args;
use serde_json::Value;

use super::connect::{asking, client, namespace, out};
use crate::cli::Format;

/// Characters of a description that are shown in a line.
const SHOWN: usize = 60;

#[derive(Debug, Args)]
pub struct Search {
    /// Words of names, descriptions, owners, tags and terms; they may be cut short or mistyped. pii:email is a tag and
    /// met as it is. Without words, everything there is.
    pub text: Vec<String>,
    /// Only in this namespace.
    #[arg(short, long, conflicts_with = "all_namespaces")]
    pub namespace: Option<String>,
    /// In every namespace you may look into, not only in the one your kubeconfig names.
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Only this kind: dataset, column, view, feature, service, model, endpoint, term …
    #[arg(long)]
    pub kind: Option<String>,
    /// Only what this team answers for.
    #[arg(long)]
    pub owner: Option<String>,
    /// Only this classification: public, internal, confidential, restricted, phi.
    #[arg(long)]
    pub classification: Option<String>,
    /// Only with this tag: pii:email.
    #[arg(long)]
    pub tag: Option<String>,
    /// So many at most.
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
}

pub async fn run(home: &Path, command: &Search) -> Result<ExitCode, Problem> {
    let within = if command.all_namespaces { None } else { Some(namespace(home, command.namespace.as_deref())?) };
    let query = SearchQuery {
        text: command.text.join(" "),
        namespace: within.clone(),
        kind: command.kind.clone(),
        owner: command.owner.clone(),
        classification: command.classification.clone(),
        tag: command.tag.clone(),
        limit: command.limit,
    };
    let told = bedplate_client::search(&client(home)?, &query).await.map_err(asking("the catalogue"))?;
    let mut stdout = std::io::stdout();
    match command.output {
        Some(Format::Json) => out(print::json(&mut stdout, &told))?,
        Some(Format::Yaml) => out(print::yaml(&mut stdout, &told))?,
        Some(Format::Name) => out(names(&mut stdout, &told))?,
        wide => out(plain(&mut stdout, &told, wide == Some(Format::Wide)))?,
    };
    let total = told["total"].as_u64().unwrap_or_default();
    if let (0, Some(namespace)) = (total, within) {
        eprintln!("nothing in namespace {namespace}; -A looks into every namespace");
    } else if total > results(&told).len() as u64 {
        eprintln!("{total} match; --limit shows more");
    }
    Ok(ExitCode::SUCCESS)
}

fn results(told: &Value) -> &[Value] {
    told["results"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn names(out: &mut dyn Write, told: &Value) -> std::io::Result<()> {
    results(told).iter().try_for_each(|hit| {
        writeln!(out, "{}/{}/{}", text(&hit["kind"]).to_lowercase(), text(&hit["namespace"]), text(&hit["name"]))
    })
}

fn plain(out: &mut dyn Write, told: &Value, wide: bool) -> std::io::Result<()> {
    let mut header = vec!["KIND", "NAMESPACE", "NAME", "OWNER", "USED BY", "DESCRIPTION"];
    if wide {
        header.extend(["CLASSIFICATION", "TAGS", "TERMS"]);
    }
    let header: Vec<String> = header.into_iter().map(str::to_owned).collect();
    let lines: Vec<Vec<String>> = results(told).iter().map(|hit| line(hit, wide)).collect();
    print::grid(out, Some(&header), &lines, print::Style::default())
}

fn line(hit: &Value, wide: bool) -> Vec<String> {
    let uses = hit["usedBy"].as_array().map_or(0, Vec::len);
    let description = text(&hit["description"]).split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = if wide { description.clone() } else { description.chars().take(SHOWN).collect() };
    let cut = if shown.len() < description.len() { "…" } else { "" };
    let same = hit["sameAs"].as_array().map(|_| format!("same as {}; ", list(&hit["sameAs"]))).unwrap_or_default();
    let mut line = ["kind", "namespace", "name", "owner"].map(|name| text(&hit[name])).to_vec();
    line.extend([uses.to_string(), format!("{same}{shown}{cut}")]);
    if wide {
        line.extend([text(&hit["classification"]), list(&hit["tags"]), list(&hit["terms"])]);
    }
    line
}

fn list(value: &Value) -> String {
    value.as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(",")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
