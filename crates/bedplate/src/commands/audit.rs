//! `audit`: read, verify, prove or export the log of what happened.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use bedplate_audit::{AuditError, Checkpoint, Receipt, VerifierKey};
use bedplate_client::print;
use bedplate_types::{ErrorKind, Problem};
use serde::Serialize;
use serde_json::{Value, json};

use super::connect::{asking, client, out};
use crate::cli::{Audit, AuditCommand, AuditVerify, Format};

pub const LOG: &str = "the audit log";
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
        AuditCommand::Log(command) => super::audit_log::run(home, command).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn verify(home: &Path, command: &AuditVerify) -> Result<(), Problem> {
    let verified = match (&command.dir, &command.proof, &command.key) {
        (Some(dir), _, Some(key)) => verify_folder(dir, key, command)?,
        (None, Some(proof), Some(key)) => return verify_proof(proof, key, command),
        _ => verify_live(home, command).await?,
    };
    show(&verified, command.output, |value| {
        println!("verified {} leaves, root {}", value["leaves"], text(&value["root"]));
        for one in value["cosignatures"].as_array().into_iter().flatten() {
            println!(
                "cosigned by {} up to leaf {}, {} leaves behind",
                text(&one["witness"]),
                one["leaves"],
                one["behind"]
            );
        }
        for witness in value["witnesses"].as_array().into_iter().flatten() {
            println!("{}", told_of(witness));
        }
    })?;
    let evidence = verified["witnesses"].as_array().into_iter().flatten().find(|witness| is_evidence(witness));
    evidence.map_or(Ok(()), |witness| Err(refusal(witness)))
}

/// The platform recomputes its log; what a witness cosigned is checked here.
async fn verify_live(home: &Path, command: &AuditVerify) -> Result<Value, Problem> {
    let mut verified = bedplate_client::audit_verify(&client(home)?).await.map_err(asking(LOG))?;
    let leaves = verified["leaves"].as_u64().unwrap_or_default();
    let note = verified["cosigned"].as_str().map(str::to_owned);
    verified["cosignatures"] = cosignatures(note.as_deref(), &command.witness_key, leaves)?;
    Ok(verified)
}

fn verify_folder(dir: &Path, key: &VerifierKey, command: &AuditVerify) -> Result<Value, Problem> {
    let notes = command.against.iter().map(|note| read(note)).collect::<Result<Vec<_>, _>>()?;
    let what = dir.display().to_string();
    let verified = bedplate_client::audit_verify_folder(dir, key, &notes);
    let (verified, cosigned) = verified.map_err(|error| Problem::of(&what, &error))?;
    let cosignatures = cosignatures(cosigned.as_deref(), &command.witness_key, verified.leaves)?;
    Ok(json!({ "verified": true, "leaves": verified.leaves, "root": verified.root, "cosignatures": cosignatures }))
}

/// What the witnesses with these keys cosigned; each of them must have.
fn cosignatures(note: Option<&str>, keys: &[VerifierKey], leaves: u64) -> Result<Value, Problem> {
    let wrong =
        |key: &VerifierKey, error: AuditError| Problem::of(format!("the cosignature of {}", key.name()), &error);
    let mut found = Vec::new();
    for key in keys {
        let note = note.ok_or_else(|| wrong(key, AuditError::NotCosigned))?;
        let checkpoint = Checkpoint::parse(note).map_err(|error| wrong(key, error))?;
        let signed = checkpoint.cosigned_by(std::slice::from_ref(key)).map_err(|error| wrong(key, error))?;
        let one = signed.first().ok_or_else(|| wrong(key, AuditError::NotCosigned))?;
        found.push(json!({ "witness": one.witness, "at": one.at, "leaves": checkpoint.size,
                           "behind": leaves.saturating_sub(checkpoint.size) }));
    }
    Ok(json!(found))
}

pub fn is_evidence(witness: &Value) -> bool {
    ["rolledBack", "forked"].iter().any(|standing| witness["standing"] == *standing)
}

/// A witness in a line.
pub fn told_of(witness: &Value) -> String {
    let url = text(&witness["url"]);
    match text(&witness["standing"]) {
        "cosigned" => format!("witness {url} ({}): {} leaves behind", text(&witness["name"]), witness["behind"]),
        standing => {
            format!("witness {url}: {standing}, {} leaves behind: {}", witness["behind"], text(&witness["why"]))
        }
    }
}

/// What a witness saw that cannot be.
pub fn refusal(witness: &Value) -> Problem {
    let fix = "keep the home folder as evidence; restore the newest backup, or find out who changed the log";
    Problem::new(
        ErrorKind::Corrupt,
        format!("the audit log's witness {}", text(&witness["url"])),
        text(&witness["why"]),
    )
    .with_fix(fix)
}

fn verify_proof(file: &Path, key: &VerifierKey, command: &AuditVerify) -> Result<(), Problem> {
    let wrong = |error| Problem::of(file.display().to_string(), &error);
    let receipt = Receipt::parse(&read(file)?).map_err(wrong)?;
    receipt.verify(key).map_err(wrong)?;
    cosignatures(Some(&receipt.checkpoint.note), &command.witness_key, receipt.checkpoint.size)?;
    show(&receipt.to_json(), command.output, |value| {
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

pub fn show(value: &Value, format: Option<Format>, plain: impl Fn(&Value)) -> Result<(), Problem> {
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

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
