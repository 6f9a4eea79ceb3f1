//! `audit log`: the entries somebody looks for.

use std::path::Path;

use bedplate_client::AuditLogQuery;
use bedplate_types::{ErrorKind, Problem, Span, Timestamp};
use clap::Args;
use serde_json::{Value, json};

use super::audit::{LOG, show, text};
use super::connect::{asking, client};
use crate::cli::Format;

#[derive(Debug, Args)]
pub struct AuditLog {
    /// The first leaf that is looked at.
    #[arg(long, default_value_t = 0)]
    pub from: u64,
    /// So many entries at most; standard error says where to go on.
    #[arg(long, default_value_t = 50)]
    pub limit: u64,
    /// Only what this principal did: user:ana, system:controllers
    #[arg(long)]
    pub actor: Option<String>,
    /// Only this: create, ingest, register, …
    #[arg(long)]
    pub action: Option<String>,
    /// Only about objects whose name has this in it: datasets/flights/
    #[arg(long)]
    pub object: Option<String>,
    /// Only from then on: an instant, or so long ago: 2026-11-24T00:00:00Z, 2h
    #[arg(long)]
    pub since: Option<String>,
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
}

/// The platform hands out so many at once.
const PAGE: u64 = 1_000;

pub async fn run(home: &Path, command: &AuditLog) -> Result<(), Problem> {
    let client = client(home)?;
    let since = command.since.as_deref().map(|text| instant(text, now())).transpose()?;
    let (mut entries, mut next) = (Vec::new(), Some(command.from));
    while let Some(from) = next.filter(|_| (entries.len() as u64) < command.limit) {
        let asked = AuditLogQuery {
            from,
            limit: (command.limit - entries.len() as u64).min(PAGE),
            actor: command.actor.clone(),
            action: command.action.clone(),
            object: command.object.clone(),
            since: since.map(|at| at.to_string()),
        };
        let mut page = bedplate_client::audit_log(&client, &asked).await.map_err(asking(LOG))?;
        next = page["next"].as_u64();
        if let Some(found) = page["entries"].as_array_mut() {
            entries.append(found);
        }
    }
    let wide = command.output == Some(Format::Wide);
    show(&json!({ "entries": entries, "next": next }), command.output, |log| lines(log, wide))?;
    if let Some(next) = next {
        eprintln!("there is more: --from {next}");
    }
    Ok(())
}

fn now() -> Timestamp {
    bedplate_types::Clock::now(&bedplate_types::SystemClock)
}

/// An instant, or a span before now.
fn instant(text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    if let Ok(span) = text.parse::<Span>() {
        return Ok(Timestamp::from_micros(now.micros().saturating_sub(span.micros())));
    }
    text.parse().map_err(|_| {
        Problem::new(ErrorKind::Invalid, format!("--since {text}"), "is neither an instant nor a span of time")
            .with_fix("write it as 2026-11-24T00:00:00Z, or as 90s, 30m, 3h, 7d")
    })
}

fn lines(log: &Value, wide: bool) {
    for entry in log["entries"].as_array().into_iter().flatten() {
        let told = ["at", "actor", "action", "object"].map(|field| text(&entry[field]));
        let detail = if wide { format!("  {}", entry["detail"]) } else { String::new() };
        println!("{:>6}  {}  {:<22} {:<12} {}{detail}", entry["leaf"], told[0], told[1], told[2], told[3]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_an_instant_or_so_long_ago() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let two_hours = instant("2h", now).unwrap();
        assert_eq!(two_hours, instant("2026-11-24T10:00:00Z", now).unwrap());
        assert!(instant("yesterday", now).unwrap_err().fix.is_some());
    }
}
