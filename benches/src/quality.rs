//! Ten expectations on ten million rows of six columns, beside Polars, DuckDB, Pandera and Great Expectations: the same file,
//! read and judged by each in a process of its own, one after the other. What counts is CPU seconds, of one thread each
//! where that can be asked for. All must find the same rows failing.

mod data;
mod ours;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::table::{self, Limit, Line};

use data::Ids;
pub use ours::judge;

const PEERS_PY: &str = include_str!("quality/peers.py");
const PEERS: [&str; 4] = ["polars", "duckdb", "pandera", "great_expectations"];
/// What is promised of ten million rows.
const CPU_SECONDS: f64 = 2.5;

/// What a contestant spent and found.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spent {
    cpu: f64,
    wall: f64,
    peak_mib: f64,
    found: BTreeMap<String, f64>,
}

/// `python` has the peers; without it ours alone is measured. The median run of `runs` counts.
pub fn run(python: Option<&Path>, rows: usize, runs: usize) -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("orders.parquet");
    let script = folder.path().join("peers.py");
    std::fs::write(&script, PEERS_PY)?;
    let judge = |ids| {
        data::write(&file, rows, ids).context("the data")?;
        let one = || {
            let mut command = Command::new(std::env::current_exe()?);
            command.arg("quality-judge").arg(&file);
            spent(&mut command).context("ours")
        };
        middle(runs, one)
    };
    let (apart, ours) = (judge(Ids::Apart)?, judge(Ids::Close)?);
    let limit = (rows == data::ROWS).then_some(Limit::AtMost(CPU_SECONDS));
    let mut lines = vec![
        Line::new("bedplate, CPU", ours.cpu, "s", limit, None),
        Line::new("bedplate, wall", ours.wall, "s", None, None),
        Line::new("bedplate, peak memory", ours.peak_mib, "MiB", None, None),
        // Unique numbers that lie close together are a bitmap, others a hash set.
        Line::new("bedplate, ids far apart, CPU", apart.cpu, "s", limit, None),
        Line::new("bedplate, ids far apart, peak memory", apart.peak_mib, "MiB", None, None),
    ];
    let Some(python) = python else {
        println!("NOT RUN: the peers: there is no Python environment with them");
        table::print(&format!("10 expectations, {rows} rows"), "-", &lines);
        return Ok(ExitCode::FAILURE);
    };
    for peer in PEERS {
        let one = || spent(Command::new(python).arg(&script).arg(peer).arg(&file)).context(peer);
        let theirs = middle(runs, one)?;
        agree(peer, &ours, &theirs)?;
        lines.extend([
            Line::new(format!("CPU, beside {peer}"), ours.cpu, "s", None, Some(theirs.cpu)),
            Line::new(format!("wall, beside {peer}"), ours.wall, "s", None, Some(theirs.wall)),
            Line::new(format!("peak memory, beside {peer}"), ours.peak_mib, "MiB", None, Some(theirs.peak_mib)),
        ]);
    }
    let holds = table::print(&format!("10 expectations, {rows} rows"), "peer", &lines);
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn middle(runs: usize, one: impl Fn() -> Result<Spent>) -> Result<Spent> {
    let mut all = (0..runs.max(1)).map(|_| one()).collect::<Result<Vec<_>>>()?;
    all.sort_by(|a, b| a.cpu.total_cmp(&b.cpu));
    Ok(all.swap_remove(all.len() / 2))
}

fn spent(command: &mut Command) -> Result<Spent> {
    let output = command.output().context("cannot start it")?;
    if !output.status.success() {
        bail!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8(output.stdout)?;
    let last = text.lines().rev().find(|line| line.starts_with('{')).context("it printed no JSON object")?;
    Ok(serde_json::from_str(last)?)
}

/// A check is called differently by some, but it must find the same number of rows.
fn agree(peer: &str, ours: &Spent, theirs: &Spent) -> Result<()> {
    for (name, found) in theirs.found.iter().filter(|(name, _)| *name != "id_again" || peer != "great_expectations") {
        let Some(expected) = ours.found.get(name) else { bail!("{peer} knows {name}, and ours does not") };
        if (found - expected).abs() > 1e-6 * expected.abs().max(1.0) {
            bail!("{peer} finds {found} for {name}, and ours finds {expected}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_finds_what_was_put_into_the_data() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("orders.parquet");
        data::write(&file, 100_000, Ids::Apart).unwrap();
        let apart = ours::found(&file).unwrap();
        data::write(&file, 100_000, Ids::Close).unwrap();
        let found = ours::found(&file).unwrap();
        assert_eq!(apart, found, "ids are told apart wherever they are");
        let wrong = |name: &str| found[name] as usize;
        assert_eq!(wrong("rows"), 100_000);
        assert_eq!([wrong("id_again"), wrong("amount_outside"), wrong("status_unknown")], [10, 100, 100]);
        assert_eq!(
            [wrong("quantity_outside"), wrong("code_wrong"), wrong("id_null"), wrong("at_null")],
            [100, 100, 0, 0]
        );
        assert!((1_500..2_500).contains(&wrong("amount_null")), "{}", wrong("amount_null"));
    }
}
