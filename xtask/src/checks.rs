//! `cargo xtask test`: every check, one after the other, to the end, and then the count.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};
use bedplate_testkit::NOT_RUN_FILE;

use crate::cargo::{cargo, root};
use crate::setup::{self, Setup};
use crate::tally::{Tally, of_line};

pub fn run() -> Result<ExitCode> {
    println!("==> set up");
    let setup = setup::prepare();
    let mut not_run: Vec<String> = setup.missing.iter().map(|why| format!("NOT RUN: {why}")).collect();
    let mut tally = Tally::default();

    tally.check(step("formatting", cargo(&["fmt", "--all", "--check"]))?);
    let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    tally.check(step("clippy", cargo(&clippy))?);
    if let Some(deny) = &setup.deny {
        let mut command = Command::new(deny);
        command.args(["check", "licenses", "bans", "sources"]).current_dir(root());
        tally.check(step("licences, bans and sources", command)?);
    }
    let folder = tempfile::tempdir().context("cannot make a folder for what the tests leave out")?;
    let said = folder.path().join("not-run");
    tally.add(tests(&setup, &said)?);

    not_run.extend(lines(&said));
    Ok(report(&tally, &not_run))
}

fn report(tally: &Tally, not_run: &[String]) -> ExitCode {
    println!();
    for line in not_run {
        println!("{line}");
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn step(name: &str, mut command: Command) -> Result<bool> {
    println!("==> {name}");
    let status = command.status().with_context(|| format!("cannot start {name}"))?;
    println!("    {name}: {}", if status.success() { "passed" } else { "FAILED" });
    Ok(status.success())
}

/// Runs the tests of the whole workspace, shows them as they come, and counts them.
fn tests(setup: &Setup, not_run: &Path) -> Result<Tally> {
    println!("==> tests");
    let mut command = cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    command.env(NOT_RUN_FILE, not_run).stdout(Stdio::piped());
    if let Some(venv) = &setup.venv {
        command.env("BEDPLATE_TEST_VENV", venv);
    }
    if let Some(folder) = &setup.kubernetes {
        // Last: what the machine has itself comes first.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let all = std::env::split_paths(&path).chain([folder.clone()]);
        command.env("PATH", std::env::join_paths(all).context("the PATH cannot be made longer")?);
    }
    if let Some(node) = &setup.node {
        command.env("BEDPLATE_TEST_NODE", node);
    }
    let mut child = command.spawn().context("cannot start cargo test")?;
    let mut tally = Tally::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.context("cannot read what the tests say")?;
            println!("{line}");
            tally.add(of_line(&line).unwrap_or_default());
        }
    }
    let status = child.wait().context("cannot wait for cargo test")?;
    if !status.success() && tally.failed == 0 {
        // It did not compile, or a test binary ended without a result.
        tally.check(false);
    }
    Ok(tally)
}

/// Each line once: several tests may miss the same thing.
fn lines(file: &Path) -> Vec<String> {
    let mut lines: Vec<String> =
        std::fs::read_to_string(file).unwrap_or_default().lines().map(ToOwned::to_owned).collect();
    lines.sort();
    lines.dedup();
    lines
}
