//! `cargo xtask bench NAME`: what the README and the issues promise, measured on this machine.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use bedplate_testkit::{Measured, Postgres, measure};
use serde::Deserialize;

use crate::cargo::cargo;
use crate::idle;
use crate::setup;

const MIB: f64 = 1_048_576.0;
const HELP_RUNS: usize = 20;

/// One line of the table: what was found and what is promised.
struct Line {
    what: &'static str,
    found: f64,
    unit: &'static str,
    limit: Option<f64>,
}

impl Line {
    fn holds(&self) -> bool {
        self.limit.is_none_or(|limit| self.found <= limit)
    }

    fn text(&self) -> String {
        let limit = self.limit.map_or_else(|| "-".into(), |limit| format!("<= {limit} {}", self.unit));
        let verdict = match (self.limit, self.holds()) {
            (None, _) => "",
            (Some(_), true) => "ok",
            (Some(_), false) => "MISS",
        };
        format!("{:<38} {:>10.2} {:<4} {:>12}  {verdict}", self.what, self.found, self.unit, limit)
            .trim_end()
            .to_owned()
    }
}

/// What is measured, and what measures it.
pub struct Bench {
    bedplate: PathBuf,
    benches: PathBuf,
}

impl Bench {
    /// Both built for release, as one build: with other features each would be built anew; or those in `folder`.
    pub fn new(folder: Option<&Path>) -> Result<Self> {
        match folder {
            Some(folder) => Ok(Self { bedplate: folder.join("bedplate"), benches: folder.join("bedplate-benches") }),
            None => build(),
        }
    }

    /// The control plane under load, beside etcd.
    pub fn control(&self, objects: usize) -> Result<ExitCode> {
        self.load(&["control", "--objects", &objects.to_string(), "--binary"], Some(&self.bedplate))
    }

    /// What a decision costs.
    pub fn policy(&self) -> Result<ExitCode> {
        self.load(&["policy"], None)
    }

    /// The feature store: the point-in-time join beside Polars and DuckDB, online reads beside Feast.
    pub fn features(&self, rows: usize, entities: usize) -> Result<ExitCode> {
        let python = match setup::features_peers() {
            Ok(venv) => venv.join("bin").join("python"),
            Err(why) => bail!("the peers cannot be installed: {why}"),
        };
        let python = python.to_str().context("the cache folder's name is not UTF-8")?;
        let join = self.load(&["features", "--rows", &rows.to_string(), "--python", python], None)?;
        let entities = entities.to_string();
        let asked = ["online", "--entities", &entities, "--python", python, "--binary"];
        let online = self.load(&asked, Some(&self.bedplate))?;
        Ok(if [join, online] == [ExitCode::SUCCESS; 2] { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// A file of many rows becomes a Delta table.
    pub fn ingest(&self, rows: usize) -> Result<ExitCode> {
        self.load(&["ingest", "--rows", &rows.to_string()], None)
    }

    /// Expectations on a file, beside the peers; where they cannot be installed, ours alone is measured and the bench fails.
    pub fn quality(&self, runs: usize) -> Result<ExitCode> {
        let python = match setup::quality_peers() {
            Ok(venv) => Some(venv.join("bin").join("python")),
            Err(why) => {
                println!("the peers were not installed: {why}");
                None
            }
        };
        let (runs, asked) = (runs.to_string(), if python.is_some() { &["--python"][..] } else { &[] });
        self.load(&[&["quality", "--runs", &runs][..], asked].concat(), python.as_deref())
    }

    /// Two replicas on one PostgreSQL.
    pub fn replicas(&self) -> Result<ExitCode> {
        self.load(&["replicas", "--binary"], Some(&self.bedplate))
    }

    /// The quickstart, `--help` and an idle platform, on both databases.
    pub fn quickstart(&self, runs: usize) -> Result<ExitCode> {
        let mut sqlite = quickstart(&self.bedplate, runs, None)?;
        sqlite.push(help(&self.bedplate)?);
        sqlite.extend(up(&self.bedplate, None)?);
        let server = Postgres::start().context("a PostgreSQL server (Debian's postgresql)")?;
        let mut postgres = quickstart(&self.bedplate, runs, Some(&server))?;
        postgres.extend(up(&self.bedplate, Some(&server))?);
        // Each is shown whether or not the other holds.
        let hold =
            [show("quickstart on SQLite, 2 cores", &sqlite), show("quickstart on PostgreSQL, 2 cores", &postgres)];
        Ok(if hold == [true, true] { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn load(&self, arguments: &[&str], last: Option<&Path>) -> Result<ExitCode> {
        let status =
            Command::new(&self.benches).args(arguments).args(last).status().context("cannot start the load")?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Whether all of them hold.
fn show(title: &str, lines: &[Line]) -> bool {
    println!("{title:<38} {:>15} {:>12}", "measured", "limit");
    for line in lines {
        println!("{}", line.text());
    }
    println!();
    lines.iter().all(Line::holds)
}

/// The product on an empty home folder, and on a new database of the server's.
fn command(binary: &Path, home: &Path, server: Option<&Postgres>) -> Command {
    let mut command = Command::new(binary);
    command.arg("--home").arg(home);
    if let Some(server) = server {
        command.env("BEDPLATE_DATABASE", server.database());
    }
    command
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    executable: Option<PathBuf>,
}

/// Builds both and asks cargo where it put them.
fn build() -> Result<Bench> {
    let packages = ["-p", "bedplate", "-p", "bedplate-benches", "--bins"];
    let build = [&["build", "--release", "--message-format", "json-render-diagnostics"], &packages[..]].concat();
    let output = cargo(&build).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("the release build failed");
    }
    let text = String::from_utf8(output.stdout).context("cargo's messages are not UTF-8")?;
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let built: Vec<PathBuf> = messages
        .filter(|message| message.reason == "compiler-artifact")
        .filter_map(|message| message.executable)
        .collect();
    let find = |name: &str| {
        let found = built.iter().find(|file| file.file_stem().is_some_and(|stem| stem == name));
        found.cloned().with_context(|| format!("cargo built no binary called {name}"))
    };
    Ok(Bench { bedplate: find("bedplate")?, benches: find("bedplate-benches")? })
}

fn quickstart(binary: &Path, runs: usize, server: Option<&Postgres>) -> Result<Vec<Line>> {
    let done = (0..runs).map(|_| one_quickstart(binary, server)).collect::<Result<Vec<Measured>>>()?;
    let middle = |figure: fn(&Measured) -> f64| median(done.iter().map(figure).collect());
    let line = |what, found, unit, limit| Line { what, found, unit, limit };
    Ok(vec![
        line("wall time", middle(|run| run.seconds), "s", Some(60.0)),
        line("CPU time", middle(|run| run.cpu_seconds), "s", None),
        line("peak memory, all its processes", middle(|run| run.peak_bytes as f64 / MIB), "MiB", Some(1_024.0)),
    ])
}

fn one_quickstart(binary: &Path, server: Option<&Postgres>) -> Result<Measured> {
    let home = tempfile::tempdir().context("cannot make a home folder")?;
    let mut command = command(binary, home.path(), server);
    command.args(["quickstart", "--output", "json"]);
    let measured = measure(&mut command).context("bedplate quickstart")?;
    if !measured.status.success() {
        bail!("bedplate quickstart failed: {}", measured.status);
    }
    serde_json::from_str::<serde_json::Value>(&measured.output)
        .context("the quickstart's output is not one JSON object")?;
    Ok(measured)
}

fn help(binary: &Path) -> Result<Line> {
    let mut times = Vec::with_capacity(HELP_RUNS);
    for _ in 0..HELP_RUNS {
        let started = std::time::Instant::now();
        let output = Command::new(binary).arg("--help").output().context("bedplate --help")?;
        times.push(started.elapsed().as_secs_f64() * 1_000.0);
        if !output.status.success() {
            bail!("bedplate --help failed: {}", output.status);
        }
    }
    Ok(Line { what: "bedplate --help (median of 20)", found: median(times), unit: "ms", limit: Some(20.0) })
}

fn up(binary: &Path, server: Option<&Postgres>) -> Result<[Line; 2]> {
    let home = tempfile::tempdir().context("cannot make a home folder")?;
    let idle = idle::measure(&mut command(binary, home.path(), server))?;
    let resident = idle.resident_bytes as f64 / MIB;
    Ok([
        Line { what: "bedplate up, until ready", found: idle.ready_seconds, unit: "s", limit: Some(1.0) },
        Line { what: "bedplate up, idle for 3 s, resident", found: resident, unit: "MiB", limit: Some(143.0) },
    ])
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(vec![9.0, 1.0, 5.0]) - 5.0).abs() < 1e-9);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn a_figure_over_its_limit_is_a_miss() {
        let line = |found| Line { what: "wall time", found, unit: "s", limit: Some(60.0) };
        assert!(line(59.9).text().ends_with("ok") && line(59.9).holds());
        assert!(line(60.1).text().ends_with("MISS") && !line(60.1).holds());
        assert!(Line { limit: None, ..line(99.0) }.holds());
    }
}
