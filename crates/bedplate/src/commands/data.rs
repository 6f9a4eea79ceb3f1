//! `data`: what a dataset's ingests came to, what its columns hold, its quarantine, and the versions of its table.

mod load;
mod profile;
mod upkeep;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use bedplate_client::{QuarantineReview, print};
use bedplate_types::{Clock, Problem, SystemClock};
use clap::{Args, Subcommand};
use kube::Client;
use serde_json::Value;

use super::connect::{asking, client, namespace, out};
use crate::cli::Format;

#[derive(Debug, Args)]
pub struct Data {
    #[command(subcommand)]
    pub command: DataCommand,
}

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Show what the last ingests of a dataset came to, the newest first; refused ones too.
    History(History),
    /// Show what the columns of a version hold: missing and different values, and, where you may read them, their spread.
    Profile(Profile),
    /// Show how many rows each reason keeps in a dataset's quarantine, and the numbers of the first of them.
    Quarantine(Named),
    /// Let rows of the quarantine into the table.
    Release(Review),
    /// Throw rows of the quarantine away.
    Discard(Review),
    /// Look now at the source of a dataset that is a database or a URL.
    Load(Named),
    /// Show the versions of a dataset's table, the newest first: when and by what each was made, and whether it can be read.
    Versions(Named),
    /// Join the small files of a dataset's table; its rows stay as they are.
    Optimize(Named),
    /// Bring the rows of an earlier version back, as a new version.
    Restore(upkeep::Restore),
    /// Remove the files of versions that are older than the dataset's retention and that no training set was made of.
    Vacuum(upkeep::Vacuum),
}

#[derive(Clone, Debug, Args)]
pub struct Named {
    pub dataset: String,
    #[arg(short, long)]
    pub namespace: Option<String>,
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
}

#[derive(Debug, Args)]
pub struct History {
    #[command(flatten)]
    pub of: Named,
    /// Only this expectation, with what it observed each time.
    #[arg(short, long, value_name = "NAME")]
    pub expectation: Option<String>,
    /// So many ingests at most.
    #[arg(long, default_value_t = 20)]
    pub limit: u32,
}

#[derive(Debug, Args)]
pub struct Profile {
    #[command(flatten)]
    pub of: Named,
    /// Of this version of the table; the newest when left out.
    #[arg(long, value_name = "VERSION")]
    pub at_version: Option<i64>,
    /// What the values are read for, where the data may be used for some purposes only.
    #[arg(long)]
    pub purpose: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct Review {
    #[command(flatten)]
    pub of: Named,
    /// A row by its number in its file, as `data quarantine` shows it; may be given more than once.
    #[arg(long = "row", value_name = "NUMBER")]
    pub rows: Vec<i64>,
    /// The rows that did not meet this expectation.
    #[arg(long, value_name = "EXPECTATION")]
    pub reason: Option<String>,
    /// The rows of this file of the source.
    #[arg(long, value_name = "PATH")]
    pub file: Option<String>,
    /// Every row of the quarantine.
    #[arg(long, conflicts_with_all = ["rows", "reason", "file"], required_unless_present_any = ["rows", "reason", "file"])]
    pub all: bool,
    /// Why: it is written into the audit log with your name.
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    /// Refuse when the table is at another version than this, which `data quarantine` shows.
    #[arg(long, value_name = "VERSION")]
    pub at_version: Option<i64>,
}

pub async fn run(home: &Path, command: &Data) -> Result<ExitCode, Problem> {
    let (DataCommand::History(History { of, .. })
    | DataCommand::Profile(Profile { of, .. })
    | DataCommand::Quarantine(of)
    | DataCommand::Load(of)
    | DataCommand::Release(Review { of, .. })
    | DataCommand::Discard(Review { of, .. })
    | DataCommand::Versions(of)
    | DataCommand::Optimize(of)
    | DataCommand::Restore(upkeep::Restore { of, .. })
    | DataCommand::Vacuum(upkeep::Vacuum { of, .. })) = &command.command;
    let (client, namespace) = (client(home)?, namespace(home, of.namespace.as_deref())?);
    let told = ask(&client, &namespace, &of.dataset, &command.command).await?;
    let mut stdout = std::io::stdout();
    match of.output {
        Some(Format::Json) => out(print::json(&mut stdout, &told))?,
        Some(Format::Yaml) => out(print::yaml(&mut stdout, &told))?,
        _ => out(plain(&mut stdout, &told, &command.command))?,
    };
    Ok(ExitCode::SUCCESS)
}

async fn ask(client: &Client, namespace: &str, dataset: &str, command: &DataCommand) -> Result<Value, Problem> {
    let what = || asking(format!("dataset {namespace}/{dataset}"));
    match command {
        DataCommand::History(History { limit, .. }) => {
            bedplate_client::data_history(client, namespace, dataset, Some(*limit)).await.map_err(what())
        }
        DataCommand::Profile(Profile { at_version, purpose, .. }) => {
            let purpose = purpose.as_deref();
            bedplate_client::data_profile(client, namespace, dataset, *at_version, purpose).await.map_err(what())
        }
        DataCommand::Quarantine(_) => {
            bedplate_client::data_quarantine(client, namespace, dataset).await.map_err(what())
        }
        DataCommand::Load(_) => load::ask(client, namespace, dataset, SystemClock.now()).await,
        DataCommand::Release(review) => {
            let review = order("release", review);
            bedplate_client::data_review(client, namespace, dataset, &review).await.map_err(what())
        }
        DataCommand::Discard(review) => {
            let review = order("discard", review);
            bedplate_client::data_review(client, namespace, dataset, &review).await.map_err(what())
        }
        DataCommand::Versions(_) => bedplate_client::data_versions(client, namespace, dataset).await.map_err(what()),
        DataCommand::Optimize(_) => bedplate_client::data_optimize(client, namespace, dataset).await.map_err(what()),
        DataCommand::Restore(upkeep::Restore { to_version, .. }) => {
            bedplate_client::data_restore(client, namespace, dataset, *to_version).await.map_err(what())
        }
        DataCommand::Vacuum(vacuum) => {
            bedplate_client::data_vacuum(client, namespace, dataset, &vacuum.wanted()).await.map_err(what())
        }
    }
}

fn order(action: &'static str, review: &Review) -> QuarantineReview {
    let Review { rows, reason, file, why, at_version, .. } = review.clone();
    QuarantineReview { action, why, rows, reason, file, version: at_version }
}

fn plain(out: &mut dyn Write, told: &Value, command: &DataCommand) -> std::io::Result<()> {
    match command {
        DataCommand::History(History { expectation: None, .. }) => {
            grid(out, INGESTS, told["ingests"].as_array(), ingest)
        }
        DataCommand::History(History { expectation: Some(name), .. }) => {
            grid(out, OUTCOMES, told["ingests"].as_array(), |ingest| outcome(ingest, name))
        }
        DataCommand::Profile(_) => profile::plain(out, told),
        DataCommand::Quarantine(_) => quarantine(out, told),
        DataCommand::Load(_) => writeln!(out, "the source of {} is looked at", text(&told["dataset"])),
        DataCommand::Versions(_) => upkeep::versions(out, told),
        DataCommand::Optimize(_) => upkeep::optimized(out, told),
        DataCommand::Restore(_) => upkeep::restored(out, told),
        DataCommand::Vacuum(_) => upkeep::vacuumed(out, told),
        DataCommand::Release(_) | DataCommand::Discard(_) => {
            let done = if told["action"] == "release" { "released" } else { "discarded" };
            writeln!(
                out,
                "{done} {} rows; the table is at version {} with {} rows, the quarantine has {}",
                told["rows"], told["version"], told["tableRows"], told["quarantined"]
            )
        }
    }
}

const INGESTS: &[&str] = &["AT", "VERSION", "READ", "KEPT", "QUARANTINED", "MET", "NOT MET"];
const OUTCOMES: &[&str] = &["AT", "VERSION", "MET", "FAILING", "OBSERVED", "VALUE", "DETAIL"];

fn grid(
    out: &mut dyn Write,
    header: &[&str],
    ingests: Option<&Vec<Value>>,
    row: impl Fn(&Value) -> Option<Vec<String>>,
) -> std::io::Result<()> {
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    let rows: Vec<Vec<String>> = ingests.into_iter().flatten().filter_map(row).collect();
    print::grid(out, Some(&header), &rows, print::Style::default())
}

fn ingest(ingest: &Value) -> Option<Vec<String>> {
    let outcomes = ingest["outcomes"].as_array()?;
    let failed: Vec<&Value> = outcomes.iter().filter(|outcome| outcome["passed"] != true).collect();
    let met = format!("{}/{}", outcomes.len() - failed.len(), outcomes.len());
    let tell = |outcome: &&Value| format!("{} ({})", text(&outcome["name"]), text(&outcome["severity"]));
    let failed = failed.iter().map(tell).collect::<Vec<_>>().join(", ");
    let refused = ingest["version"].is_null();
    let count = |name: &str| if refused { String::new() } else { text(&ingest[name]) };
    Some(vec![
        text(&ingest["at"]),
        version(ingest),
        count("rowsRead"),
        count("rows"),
        count("quarantined"),
        met,
        failed,
    ])
}

fn outcome(ingest: &Value, name: &str) -> Option<Vec<String>> {
    let outcome = ingest["outcomes"].as_array()?.iter().find(|outcome| outcome["name"] == name)?;
    let met = if outcome["passed"] == true { "yes" } else { "no" };
    let [failing, observed, value, detail] =
        ["failing", "observed", "value", "detail"].map(|name| text(&outcome[name]));
    Some(vec![text(&ingest["at"]), version(ingest), met.into(), failing, observed, value, detail])
}

fn version(ingest: &Value) -> String {
    if ingest["version"].is_null() { "refused".into() } else { text(&ingest["version"]) }
}

fn quarantine(out: &mut dyn Write, told: &Value) -> std::io::Result<()> {
    writeln!(out, "{} rows, of the table's version {}", told["quarantined"], text(&told["version"]))?;
    for reason in told["reasons"].as_array().into_iter().flatten() {
        writeln!(out, "{:>9}  {}", text(&reason["rows"]), text(&reason["name"]))?;
    }
    let rows = told["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !rows.is_empty() {
        writeln!(out, "\nthe first {} rows:", rows.len())?;
    }
    let mut file = &Value::Null;
    for row in rows {
        if row["file"] != *file {
            file = &row["file"];
            writeln!(out, "  {}", text(file))?;
        }
        writeln!(out, "{:>9}  {}", text(&row["row"]), text(&row["reasons"]))?;
    }
    Ok(())
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
