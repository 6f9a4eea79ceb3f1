//! The product as a bench starts it: on free ports, without the listeners that no bench asks.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use bedplate_testkit::{Ready, Server};

use crate::http1::Target;

/// How long it may take to be ready.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Platform {
    pub server: Server,
    /// Its API, for an administrator.
    pub target: Target,
}

/// `home` is its home folder, `keys` where its credentials will be; `more` says what else it is told.
pub fn up(binary: &Path, home: &Path, keys: &Path, more: impl FnOnce(&mut Command)) -> Result<Platform> {
    let mut command = Command::new(binary);
    command.args(["up", "--listen", "127.0.0.1:0", "--inference-listen", "127.0.0.1:0"]);
    command.args(["--flight-listen", "off", "--s3-listen", "off", "--home"]).arg(home);
    more(&mut command);
    let server = Server::start(&mut command, &Ready::Line("ready".into()), PATIENCE).context("bedplate up")?;
    let address = address(&server.said()).context("bedplate up told no address")?;
    let token = std::fs::read_to_string(keys.join("credentials"))?.trim().to_owned();
    Ok(Platform { server, target: Target { address, token } })
}

/// Where a platform that has come up says it is.
fn address(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("http://")?;
    Some(rest.split_whitespace().next()?.to_owned())
}
