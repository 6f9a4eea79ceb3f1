//! `login`: sign in at the organisation's OpenID provider, in a browser or with a code on another device.

mod browser;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bedplate_client::{Connection, Trust};
use bedplate_types::{ErrorKind, Problem};
use clap::Args;
use kube::Client;
use serde_json::{Value, json};

use super::connect::asking;
use crate::home::unusable;
use crate::kubeconfig;

#[derive(Debug, Args)]
pub struct Login {
    /// The platform: https://bedplate.example.org:7070. Left out: that of the kubeconfig in the home.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// What the platform's certificate is verified with (PEM); its home has it as keys/ca.crt.
    #[arg(long, value_name = "FILE", requires = "server")]
    ca: Option<PathBuf>,
    /// Where there is no browser: sign in on another device with the code that is shown here.
    #[arg(long)]
    device: bool,
    /// Only show the address to open.
    #[arg(long, conflicts_with = "device")]
    no_browser: bool,
    /// The port the browser comes back to; a free one when left out.
    #[arg(long, default_value_t = 0, conflicts_with = "device", value_name = "PORT")]
    callback_port: u16,
    /// The namespace of the kubeconfig that is written.
    #[arg(short, long, default_value = "default")]
    namespace: String,
}

const SIGNING_IN: &str = "signing in";
/// How often a device's code is asked about, when the provider does not say (RFC 8628 section 3.2).
const USUAL_INTERVAL: u64 = 5;
const LONGEST_WAIT: Duration = Duration::from_secs(900);

pub async fn run(home: &Path, command: &Login) -> Result<ExitCode, Problem> {
    let mut connection = platform(home, command)?;
    let client = connection.connect().map_err(asking("the platform"))?;
    let told = if command.device { on_a_device(&client).await? } else { browser::sign_in(&client, command).await? };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (name, until) = (text(&told["principal"]["name"]), text(&told["expiresAt"]));
    (connection.token, connection.namespace) = (text(&told["token"]), command.namespace.clone());
    let file = home.join("kubeconfig");
    kubeconfig::write(&file, &name, &connection)?;
    eprintln!("signed in as {name} until {until}: export KUBECONFIG={}", file.display());
    Ok(ExitCode::SUCCESS)
}

/// Where the platform is; nobody is signed in there yet.
fn platform(home: &Path, command: &Login) -> Result<Connection, Problem> {
    if home.join("layout").exists() {
        let why = "it is a platform's own, and the kubeconfig there is its administrator's";
        return Err(Problem::new(ErrorKind::Refused, format!("home {}", home.display()), why)
            .with_fix("bedplate login --home DIR, with a folder of your own"));
    }
    std::fs::create_dir_all(home).map_err(|error| unusable(home, &error))?;
    let namespace = command.namespace.clone();
    match &command.server {
        Some(server) => {
            let ca =
                command.ca.as_ref().map(|file| std::fs::read_to_string(file).map_err(|error| unusable(file, &error)));
            let trust = Trust { ca: ca.transpose()?, ..Trust::default() };
            Ok(Connection { server: server.trim_end_matches('/').to_owned(), token: String::new(), namespace, trust })
        }
        None => {
            let known =
                super::connect::connection(home).map_err(|problem| problem.with_fix("bedplate login --server URL"))?;
            Ok(Connection { token: String::new(), trust: Trust { identity: None, ..known.trust.clone() }, ..known })
        }
    }
}

/// RFC 8628: shows a code and waits until somebody has entered it elsewhere.
async fn on_a_device(client: &Client) -> Result<Value, Problem> {
    let begun = bedplate_client::login_device(client).await.map_err(asking(SIGNING_IN))?;
    let text = |name: &str| begun[name].as_str().unwrap_or_default();
    eprintln!("open {} and enter the code {}", text("verification_uri"), text("user_code"));
    if let Some(complete) = begun["verification_uri_complete"].as_str() {
        eprintln!("or open {complete}");
    }
    let interval = Duration::from_secs(begun["interval"].as_u64().unwrap_or(USUAL_INTERVAL).clamp(1, 60));
    let asked = json!({ "deviceCode": text("device_code") });
    let waited = tokio::time::timeout(LONGEST_WAIT, async {
        loop {
            tokio::time::sleep(interval).await;
            let told = bedplate_client::login(client, &asked).await.map_err(asking(SIGNING_IN))?;
            if told["pending"] != json!(true) {
                return Ok(told);
            }
        }
    });
    waited.await.unwrap_or_else(|_| {
        Err(Problem::new(ErrorKind::Timeout, SIGNING_IN, "nobody entered the code within 15 minutes")
            .with_fix("bedplate login --device"))
    })
}
