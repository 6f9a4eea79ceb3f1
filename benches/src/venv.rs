//! Peers from PyPI: a Python environment of the benches' own, in the cache folder, made anew when what it holds changes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// What the peers are, pinned.
const PEERS: &str = "polars==2.1.0\nduckdb==2.0.1\npyarrow==26.0.1\nfeast[redis]==0.67.0\n";

/// The interpreter of the environment.
pub fn python() -> Result<PathBuf> {
    let folder = cache()?.join("bench-venv");
    let (python, mark) = (folder.join("bin/python"), folder.join("peers.txt"));
    if std::fs::read_to_string(&mark).is_ok_and(|made| made == PEERS) {
        return Ok(python);
    }
    println!("making a Python environment for the peers: {}", PEERS.trim().replace('\n', ", "));
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(PEERS.lines()))?;
    std::fs::write(&mark, PEERS)?;
    Ok(python)
}

#[expect(clippy::disallowed_methods, reason = "a tool of developers: it keeps its peers in the user's cache folder")]
fn cache() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("XDG_CACHE_HOME") {
        return Ok(Path::new(&folder).join("bedplate"));
    }
    let home = std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(Path::new(&home).join(".cache/bedplate"))
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(())
}
