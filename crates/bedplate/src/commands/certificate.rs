//! `certificate`: make, list or end certificates of machines.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bedplate_client::{Identity, print};
use bedplate_types::{ErrorKind, Problem};
use clap::{Args, Subcommand};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use super::connect::{asking, client, connection, out};
use crate::cli::Format;
use crate::home::{unusable, write_private};
use crate::kubeconfig;
use crate::surface::api::{CertificateRequest, Machine};

#[derive(Debug, Args)]
pub struct Certificate {
    #[command(subcommand)]
    command: CertificateCommand,
}

#[derive(Debug, Subcommand)]
enum CertificateCommand {
    /// Make a key and have a certificate issued for it: NAME.key, NAME.crt and ca.crt.
    Issue(Issue),
    /// Show the certificates you may see.
    List {
        #[arg(short, long, value_enum)]
        output: Option<Format>,
    },
    /// End a certificate, at once.
    Revoke {
        /// SHA-256, as `certificate list` or openssl shows it.
        fingerprint: String,
    },
}

#[derive(Debug, Args)]
struct Issue {
    /// The machine's name.
    name: String,
    #[arg(short, long, default_value = "default")]
    namespace: String,
    #[arg(long, value_enum, default_value = "service-account")]
    kind: Machine,
    /// How long it is good for: 24h, and 90d at most.
    #[arg(long, default_value = "24h")]
    expires: String,
    /// The folder the files are written to.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Write a kubeconfig that shows the certificate, too.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Where the machine finds the platform, if not where this one does: https://bedplate.example.org:7070.
    #[arg(long, value_name = "URL", requires = "kubeconfig")]
    server: Option<String>,
}

pub async fn run(home: &Path, command: &Certificate) -> Result<ExitCode, Problem> {
    match &command.command {
        CertificateCommand::Issue(issue) => make(home, issue).await?,
        CertificateCommand::List { output } => list(home, *output).await?,
        CertificateCommand::Revoke { fingerprint } => revoke(home, fingerprint).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The key is made here and stays here.
async fn make(home: &Path, issue: &Issue) -> Result<(), Problem> {
    let (key, csr) = request()?;
    let asked = CertificateRequest {
        kind: issue.kind,
        namespace: issue.namespace.clone(),
        name: issue.name.clone(),
        csr,
        expires_in: issue.expires.clone(),
    };
    let asked = serde_json::to_value(asked).map_err(|error| internal(&error))?;
    let made =
        bedplate_client::certificate_issue(&client(home)?, &asked).await.map_err(asking("making a certificate"))?;
    std::fs::create_dir_all(&issue.out).map_err(|error| unusable(&issue.out, &error))?;
    let file = |end: &str| issue.out.join(format!("{}.{end}", issue.name));
    write_private(&file("key"), key.as_bytes())?;
    write_private(&file("crt"), text(&made["certificate"]).as_bytes())?;
    write_private(&issue.out.join("ca.crt"), text(&made["ca"]).as_bytes())?;
    println!("{}", file("crt").display());
    eprintln!(
        "{} until {}; end it: bedplate certificate revoke {}",
        text(&made["uri"]),
        text(&made["expiresAt"]),
        text(&made["fingerprint"])
    );
    if let Some(path) = &issue.kubeconfig {
        let mut theirs = connection(home)?;
        (theirs.token, theirs.namespace) = (String::new(), issue.namespace.clone());
        kubeconfig::readdress(&mut theirs, issue.server.as_deref());
        theirs.trust.identity = Some(Identity { certificate: text(&made["certificate"]).to_owned(), key });
        kubeconfig::write(path, text(&made["principal"]), &theirs)?;
    }
    Ok(())
}

/// A new key, and a request that proves that it is ours.
fn request() -> Result<(String, String), Problem> {
    let key = KeyPair::generate().map_err(|error| internal(&error))?;
    let csr = CertificateParams::default().serialize_request(&key).and_then(|csr| csr.pem());
    Ok((key.serialize_pem(), csr.map_err(|error| internal(&error))?))
}

fn internal(error: &dyn std::error::Error) -> Problem {
    Problem::new(ErrorKind::Internal, "a certificate request", error.to_string())
}

async fn list(home: &Path, format: Option<Format>) -> Result<(), Problem> {
    let listed = bedplate_client::certificate_list(&client(home)?).await.map_err(asking("the certificates"))?;
    let mut stdout = std::io::stdout();
    match format {
        Some(Format::Json) => out(print::json(&mut stdout, &listed))?,
        Some(Format::Yaml) => out(print::yaml(&mut stdout, &listed))?,
        _ => {
            lines(&listed);
            Some(())
        }
    };
    Ok(())
}

fn lines(listed: &Value) {
    println!("{:<66}{:<40}{:<9}EXPIRES", "FINGERPRINT", "PRINCIPAL", "STATE");
    for one in listed["certificates"].as_array().into_iter().flatten() {
        let state = if one["revoked"] == json!(true) { "revoked" } else { "active" };
        let (fingerprint, principal) = (text(&one["fingerprint"]), text(&one["principal"]));
        println!("{fingerprint:<66}{principal:<40}{state:<9}{}", text(&one["notAfter"]));
    }
}

async fn revoke(home: &Path, fingerprint: &str) -> Result<(), Problem> {
    let what = format!("certificate {fingerprint}");
    let ended = bedplate_client::certificate_revoke(&client(home)?, fingerprint).await.map_err(asking(what))?;
    let how = if ended["before"] == json!(true) { "had been revoked before" } else { "revoked" };
    println!("certificate {} {how}", text(&ended["fingerprint"]));
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
