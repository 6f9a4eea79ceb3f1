//! A peer: a real server, started on free ports with a folder of its own.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use bedplate_testkit::{Ready, Server, free_port, program};

/// etcd, and where it listens.
pub struct Etcd {
    pub server: Server,
    pub address: String,
    _folder: tempfile::TempDir,
}

/// `None` when it is not installed.
pub fn etcd() -> Result<Option<Etcd>> {
    let Some(program) = program("etcd") else { return Ok(None) };
    let folder = tempfile::tempdir()?;
    let (port, peers) = (free_port(), free_port());
    let (address, peers) = (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{peers}"));
    let url = format!("http://{address}");
    let mut command = Command::new(program);
    command.arg("--data-dir").arg(folder.path()).args(["--listen-client-urls", &url, "--advertise-client-urls", &url]);
    command.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
    command.args(["--initial-cluster", &format!("default={peers}"), "--quota-backend-bytes", "4294967296"]);
    let ready = Ready::Http { port, path: "/health".into() };
    let server = Server::start(&mut command, &ready, Duration::from_secs(30)).context("etcd")?;
    Ok(Some(Etcd { server, address, _folder: folder }))
}
