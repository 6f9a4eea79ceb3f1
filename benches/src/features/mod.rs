//! The offline feature store: data of a fixed seed, brought into the lake and joined to label rows, each step in a process of
//! its own and beside the same step of Polars and DuckDB. The answers are compared before any figure is shown.

mod data;
mod step;
mod sums;

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use bedplate_testkit::{Measured, measure};

use crate::table::{self, Limit, Line};

pub use step::{Step, step};

const MIB: f64 = 1_048_576.0;
const GIB: usize = 1 << 30;
/// What the join may hold besides its queries, where much and where little may be held.
const MEMORY: usize = 512 << 20;
const LITTLE: usize = 32 << 20;
const PEERS: &str = include_str!("peers.py");

pub fn run(python: &Path, rows: usize) -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    println!("writing {} label rows and 3 views of {rows} rows", rows / 5);
    data::write(folder.path(), rows)?;
    std::fs::write(folder.path().join("peers.py"), PEERS)?;

    let ingest = ours(folder.path(), "ingest", 0)?;
    let join = ours(folder.path(), "join", MEMORY)?;
    let sums = sums::of(&folder.path().join("ours.parquet"))?;
    let little = ours(folder.path(), "join", LITTLE)?;
    same("with little memory", &sums, &sums::of(&folder.path().join("ours.parquet"))?)?;
    let materialize = ours(folder.path(), "materialize", 0)?;
    let copy = theirs(python, folder.path(), "duckdb-copy")?;
    let polars = theirs(python, folder.path(), "polars")?;
    same("Polars", &sums, &sums::of(&folder.path().join("polars.parquet"))?)?;
    let duckdb = theirs(python, folder.path(), "duckdb")?;
    same("DuckDB", &sums, &sums::of(&folder.path().join("duckdb.parquet"))?)?;

    let of_copy = table::print("Parquet into Delta, 3 views", "DuckDB", &ingested(&ingest, &copy));
    println!();
    let of_polars = table::print("point-in-time join", "Polars", &joined(&join, &polars, &faster(&polars, &duckdb)));
    println!();
    let of_duckdb = table::print("point-in-time join", "DuckDB", &joined(&join, &duckdb, &faster(&polars, &duckdb)));
    println!();
    let line = |what: &str, found, unit, limit| Line::new(what, found, unit, limit, None);
    let of_little = table::print(
        "the same with little memory",
        "-",
        &[
            line("CPU", little.cpu_seconds, "s", None),
            line("wall", little.seconds, "s", None),
            line("peak memory", little.peak_bytes as f64 / MIB, "MiB", Some(Limit::AtMost(256.0))),
        ],
    );
    println!();
    let of_materialize = table::print(
        "materialise 3 views, Feast's are in the next table",
        "-",
        &[
            line(
                "rows a CPU second",
                3.0 * rows as f64 / materialize.cpu_seconds,
                "",
                Some(Limit::AtLeast(1_000_000.0)),
            ),
            line("wall", materialize.seconds, "s", None),
            line("peak memory", materialize.peak_bytes as f64 / MIB, "MiB", None),
        ],
    );
    let holds = [of_copy, of_polars, of_duckdb, of_little, of_materialize].iter().all(|holds| *holds);
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The lower of two peers' figures.
struct Faster {
    cpu: f64,
    wall: f64,
}

fn faster(a: &Measured, b: &Measured) -> Faster {
    Faster { cpu: a.cpu_seconds.min(b.cpu_seconds), wall: a.seconds.min(b.seconds) }
}

fn ingested(ours: &Measured, peer: &Measured) -> Vec<Line> {
    let limit = |figure: f64| Some(Limit::AtMost((figure * 130.0).round() / 100.0));
    vec![
        Line::new("CPU", ours.cpu_seconds, "s", limit(peer.cpu_seconds), Some(peer.cpu_seconds)),
        Line::new("wall", ours.seconds, "s", limit(peer.seconds), Some(peer.seconds)),
        Line::new("peak memory", ours.peak_bytes as f64 / MIB, "MiB", None, Some(peer.peak_bytes as f64 / MIB)),
    ]
}

fn joined(ours: &Measured, peer: &Measured, faster: &Faster) -> Vec<Line> {
    let limit = |figure: f64| Some(Limit::AtMost((figure * 70.0).round() / 100.0));
    let memory = Some(Limit::AtMost(GIB as f64 / MIB));
    vec![
        Line::new("CPU", ours.cpu_seconds, "s", limit(faster.cpu), Some(peer.cpu_seconds)),
        Line::new("wall", ours.seconds, "s", limit(faster.wall), Some(peer.seconds)),
        Line::new("peak memory", ours.peak_bytes as f64 / MIB, "MiB", memory, Some(peer.peak_bytes as f64 / MIB)),
    ]
}

fn ours(folder: &Path, step: &str, memory: usize) -> Result<Measured> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["features-step", step, "--folder"]).arg(folder);
    // As the product sets it at its start.
    command.env("MIMALLOC_PURGE_DELAY", "100");
    if memory > 0 {
        command.args(["--memory", &memory.to_string()]);
    }
    finished(step, &mut command)
}

fn theirs(python: &Path, folder: &Path, what: &str) -> Result<Measured> {
    finished(what, Command::new(python).arg(folder.join("peers.py")).arg(what).arg(folder))
}

fn finished(what: &str, command: &mut Command) -> Result<Measured> {
    let measured = measure(command).with_context(|| format!("cannot start {what}"))?;
    if !measured.status.success() {
        bail!("{what} failed: {}", measured.status);
    }
    println!(
        "  {what:<12} {:>8.2} CPU-s {:>8.2} s {:>8.0} MiB",
        measured.cpu_seconds,
        measured.seconds,
        measured.peak_bytes as f64 / MIB
    );
    Ok(measured)
}

/// A figure of a wrong answer is none.
fn same(whose: &str, ours: &[sums::Column], theirs: &[sums::Column]) -> Result<()> {
    for (ours, theirs) in ours.iter().zip(theirs) {
        if !ours.is(theirs) {
            bail!("the answers differ from those of {whose}: {ours:?} is not {theirs:?}");
        }
    }
    if ours.len() != theirs.len() {
        bail!("{} columns here, {} of {whose}", ours.len(), theirs.len());
    }
    Ok(())
}
