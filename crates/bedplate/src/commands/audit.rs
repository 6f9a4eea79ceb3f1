//! `audit`: read or verify the log of what happened.

use std::path::Path;
use std::process::ExitCode;

use bedplate_client::print;
use bedplate_types::Problem;
use serde_json::Value;

use super::connect::{asking, client, out};
use crate::cli::{Audit, AuditCommand, Format};

pub async fn run(home: &Path, command: &Audit) -> Result<ExitCode, Problem> {
    let client = client(home)?;
    match &command.command {
        AuditCommand::Verify { output } => {
            let verified = bedplate_client::audit_verify(&client).await.map_err(asking("the audit log"))?;
            show(&verified, *output, |value| {
                println!("verified {} leaves, root {}", value["leaves"], text(&value["root"]))
            })
        }
        AuditCommand::Log { from, limit, output } => {
            let log = bedplate_client::audit_log(&client, *from, *limit).await.map_err(asking("the audit log"))?;
            show(&log, *output, lines)
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

fn show(value: &Value, format: Option<Format>, plain: impl Fn(&Value)) -> Result<(), Problem> {
    let mut stdout = std::io::stdout();
    match format {
        Some(Format::Json) => out(print::json(&mut stdout, value))?,
        Some(Format::Yaml) => out(print::yaml(&mut stdout, value))?,
        _ => {
            plain(value);
            Some(())
        }
    };
    Ok(())
}

fn lines(log: &Value) {
    for entry in log["entries"].as_array().into_iter().flatten() {
        let told = ["at", "actor", "action", "object"].map(|field| text(&entry[field]));
        println!("{:>6}  {}  {:<22} {:<12} {}", entry["leaf"], told[0], told[1], told[2], told[3]);
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
