//! `audit`: read, verify, prove or export the log of what happened.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use bedplate_audit::{Receipt, VerifierKey};
use bedplate_client::print;
use bedplate_types::{ErrorKind, Problem};
use serde::Serialize;
use serde_json::{Value, json};

use super::connect::{asking, client, out};
use crate::cli::{Audit, AuditCommand, AuditVerify, Format};

const LOG: &str = "the audit log";
/// No note and no proof is longer.
const MAX_FILE: u64 = 1 << 20;

pub async fn run(home: &Path, command: &Audit) -> Result<ExitCode, Problem> {
    match &command.command {
        AuditCommand::Verify(command) => verify(home, command).await,
        AuditCommand::Export { dir, output } => export(home, dir, *output).await,
        AuditCommand::Prove { index, dir, key, output } => {
            let folder = dir.as_deref().zip(key.as_ref());
            prove(home, *index, folder, *output).await
        }
        AuditCommand::Log { from, limit, output } => {
            let log = bedplate_client::audit_log(&client(home)?, *from, *limit).await.map_err(asking(LOG))?;
            show(&log, *output, lines)
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn verify(home: &Path, command: &AuditVerify) -> Result<(), Problem> {
    let verified = match (&command.dir, &command.proof, &command.key) {
        (Some(dir), _, Some(key)) => verify_folder(dir, key, command)?,
        (None, Some(proof), Some(key)) => return verify_proof(proof, key, command.output),
        _ => bedplate_client::audit_verify(&client(home)?).await.map_err(asking(LOG))?,
    };
    show(&verified, command.output, |value| {
        println!("verified {} leaves, root {}", value["leaves"], text(&value["root"]))
    })
}

fn verify_folder(dir: &Path, key: &VerifierKey, command: &AuditVerify) -> Result<Value, Problem> {
    let notes = command.against.iter().map(|note| read(note)).collect::<Result<Vec<_>, _>>()?;
    let what = dir.display().to_string();
    let verified = bedplate_client::audit_verify_folder(dir, key, &notes);
    let verified = verified.map_err(|error| Problem::of(&what, &error))?;
    Ok(json!({ "verified": true, "leaves": verified.leaves, "root": verified.root }))
}

fn verify_proof(file: &Path, key: &VerifierKey, output: Option<Format>) -> Result<(), Problem> {
    let wrong = |error| Problem::of(file.display().to_string(), &error);
    let receipt = Receipt::parse(&read(file)?).map_err(wrong)?;
    receipt.verify(key).map_err(wrong)?;
    show(&receipt.to_json(), output, |value| {
        println!("leaf {} is in the log of {} leaves: {}", value["leaf"], value["size"], value["entry"])
    })
}

async fn export(home: &Path, dir: &Path, output: Option<Format>) -> Result<(), Problem> {
    let exported = bedplate_client::audit_export(&client(home)?, dir).await.map_err(asking(LOG))?;
    show(&told(&exported)?, output, |value| {
        println!("exported and verified {} leaves, root {}", value["leaves"], text(&value["root"]));
        println!("{} files are new in {}", value["fetched"], dir.display());
        println!("key {}", text(&value["key"]));
    })
}

async fn prove(
    home: &Path,
    leaf: u64,
    folder: Option<(&Path, &VerifierKey)>,
    output: Option<Format>,
) -> Result<(), Problem> {
    let receipt = match folder {
        Some((dir, key)) => bedplate_client::audit_prove_from(dir, key, leaf),
        None => bedplate_client::audit_prove(&client(home)?, leaf).await,
    };
    let receipt = receipt.map_err(asking(format!("audit leaf {leaf}")))?;
    show(&receipt.to_json(), output, |value| print!("{}", text(&value["tlogProof"])))
}

fn told(value: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|error| Problem::new(ErrorKind::Internal, LOG, error.to_string()))
}

fn read(file: &Path) -> Result<String, Problem> {
    let mut text = String::new();
    let opened = std::fs::File::open(file).and_then(|opened| opened.take(MAX_FILE).read_to_string(&mut text));
    let why = |error: std::io::Error| Problem::new(ErrorKind::Invalid, file.display().to_string(), error.to_string());
    opened.map(|_| text).map_err(why)
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
