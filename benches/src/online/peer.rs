//! Feast's feature server with one worker, its rows in Redis.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bedplate_testkit::{Ready, Server as Process, descendants, free_port, program};

use super::Server;
use crate::http1::Target;

const SCRIPT: &str = include_str!("peer.py");
/// What Feast writes in some seconds.
const ENTITIES: usize = 10_000;

pub struct Feast {
    pub server: Server,
    /// What `feast materialize` writes.
    pub rows_a_cpu_second: f64,
    _feast: Process,
    _redis: Process,
}

/// `None` when Redis is not installed.
pub fn start(python: &Path, folder: &Path) -> Result<Option<Feast>> {
    let Some(redis) = program("redis-server") else { return Ok(None) };
    let (repository, port, redis_port) = (folder.join("feast"), free_port(), free_port());
    std::fs::create_dir_all(&repository)?;
    let mut command = Command::new(redis);
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &redis_port.to_string()]);
    let ready = Ready::Line("Ready to accept connections".into());
    let redis = Process::start(command.current_dir(folder), &ready, Duration::from_secs(30)).context("Redis")?;
    let script = folder.join("peer.py");
    std::fs::write(&script, SCRIPT)?;
    let mut load = Command::new(python);
    load.arg(&script).arg(&repository).args([redis_port.to_string(), ENTITIES.to_string()]).env("FEAST_USAGE", "False");
    let loaded = load.output()?;
    if !loaded.status.success() {
        bail!("Feast cannot be loaded: {}", String::from_utf8_lossy(&loaded.stderr));
    }
    let said = String::from_utf8_lossy(&loaded.stdout);
    let rate = said.lines().find_map(|line| line.strip_prefix("rows a CPU second: "));
    let rows_a_cpu_second = rate.context("Feast did not say how fast it materialised")?.parse()?;
    let mut serve = Command::new(python.with_file_name("feast"));
    serve.arg("--chdir").arg(&repository).args(["serve", "--host", "127.0.0.1", "--port", &port.to_string()]);
    serve.args(["--workers", "1", "--no-access-log", "--max-requests", "0"]).env("FEAST_USAGE", "False");
    let ready = Ready::Http { port, path: "/health".into() };
    let feast = Process::start(&mut serve, &ready, Duration::from_secs(120)).context("feast serve")?;
    let pids = [vec![feast.pid()], descendants(feast.pid())].concat();
    let target = Target { address: format!("127.0.0.1:{port}"), token: String::new() };
    Ok(Some(Feast {
        server: Server { target, pids, entities: ENTITIES },
        rows_a_cpu_second,
        _feast: feast,
        _redis: redis,
    }))
}
