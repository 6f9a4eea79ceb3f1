//! `costs`: what was spent.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use bedplate_client::{CostsQuery, print};
use bedplate_types::Problem;
use clap::Args;
use kube::Client;
use serde_json::Value;

use super::connect::{asking, client, out};
use crate::cli::Format;

#[derive(Debug, Args)]
pub struct Costs {
    /// One namespace; all of them when left out, which administrators alone may ask for.
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// namespace, team, subject, resource, day or month (UTC); several with commas.
    #[arg(long, value_delimiter = ',', default_value = "resource")]
    pub by: Vec<String>,
    /// The first day: 2026-11-01
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// The first day that is left out: 2026-12-01
    #[arg(long, value_name = "DAY")]
    pub to: Option<String>,
    /// Count every entry of the ledger again instead: is each balanced, is every usage priced once, do the sums agree?
    #[arg(long, conflicts_with_all = ["namespace", "from", "to", "reverse"])]
    pub verify: bool,
    /// Post the opposite of what was posted for this usage event instead: a correction.
    #[arg(long, value_name = "EVENT", requires = "reason")]
    pub reverse: Option<String>,
    /// Why it is reversed.
    #[arg(long, requires = "reverse")]
    pub reason: Option<String>,
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
}

const WHAT: &str = "the costs";

pub async fn run(home: &Path, command: &Costs) -> Result<ExitCode, Problem> {
    let client = client(home)?;
    let told = match (&command.reverse, &command.reason) {
        (Some(event), Some(reason)) => {
            bedplate_client::costs_reverse(&client, event, reason).await.map_err(asking(WHAT))?
        }
        _ if command.verify => bedplate_client::costs_verify(&client).await.map_err(asking("the ledger"))?,
        _ => ask(&client, command).await?,
    };
    let mut stdout = std::io::stdout();
    match command.output {
        Some(Format::Json) => out(print::json(&mut stdout, &told))?,
        Some(Format::Yaml) => out(print::yaml(&mut stdout, &told))?,
        _ if command.reverse.is_some() => out(writeln!(stdout, "{}", reversed(&told)))?,
        _ if command.verify => out(writeln!(stdout, "{}", verified(&told)))?,
        format => out(table(&mut stdout, &told, format == Some(Format::Wide)))?,
    };
    Ok(ExitCode::SUCCESS)
}

async fn ask(client: &Client, command: &Costs) -> Result<Value, Problem> {
    let asked = CostsQuery {
        namespace: command.namespace.clone(),
        by: command.by.clone(),
        from: command.from.clone(),
        to: command.to.clone(),
    };
    let told = bedplate_client::costs(client, &asked).await.map_err(asking(WHAT))?;
    for line in told["unpriced"].as_array().into_iter().flatten() {
        let [namespace, resource, amount] = ["namespace", "resource", "amount"].map(|name| text(&line[name]));
        let events = &line["events"];
        eprintln!(
            "warning: {events} events of {resource} in {namespace} ({amount}) have no price yet and are not in these figures"
        );
        eprintln!("  fix: declare a PriceSheet in bedplate-system that has a price for {resource} at their time");
    }
    Ok(told)
}

fn reversed(told: &Value) -> String {
    let again = if told["before"] == true { " (it had been before)" } else { "" };
    format!("{} is reversed{again}", text(&told["event"]))
}

fn verified(told: &Value) -> String {
    let ledger = &told["ledger"];
    format!(
        "verified {} events, {} entries and {} postings; {} events have no price yet",
        ledger["events"], ledger["entries"], ledger["postings"], ledger["unpriced"]
    )
}

/// One row a line, and the totals; `wide` has the figures in cents, which add up, and how many events there were.
fn table(out: &mut dyn Write, told: &Value, wide: bool) -> std::io::Result<()> {
    let by: Vec<&str> = told["by"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut columns = by.clone();
    if by.contains(&"resource") {
        columns.push("amount");
    }
    columns.push("cost");
    if wide {
        columns.extend(["rounded", "events"]);
    }
    columns.push("currency");
    let row = |line: &Value| columns.iter().map(|column| cell(&line[*column])).collect::<Vec<_>>();
    let mut rows: Vec<Vec<String>> = told["lines"].as_array().into_iter().flatten().map(row).collect();
    if !by.is_empty() {
        rows.extend(told["totals"].as_array().into_iter().flatten().map(|total| {
            let mut cells = row(total);
            if let Some(first) = cells.first_mut() {
                "TOTAL".clone_into(first);
            }
            cells
        }));
    }
    let header: Vec<String> = columns.iter().map(|column| column.to_uppercase()).collect();
    print::grid(out, Some(&header), &rows, print::Style::default())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
