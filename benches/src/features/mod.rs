//! The offline feature store: data of a fixed seed, brought into the lake and joined to label rows, each step in a process of
//! its own and beside the same step of Polars and DuckDB. The answers are compared before any figure is shown.

mod data;
pub mod ingest;
mod limited;
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
const LIMIT: u64 = 256 << 20;
/// The join is measured so often, in turn with its peers: the machine is never the same twice.
const ROUNDS: usize = 3;
const PEERS: &str = include_str!("peers.py");

pub fn run(python: &Path, rows: usize) -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    println!("writing {} label rows and 3 views of {rows} rows", rows / 5);
    data::write(folder.path(), rows)?;
    std::fs::write(folder.path().join("peers.py"), PEERS)?;

    let ingest = ours(folder.path(), "ingest", 0)?;
    let copy = theirs(python, folder.path(), "duckdb-copy")?;
    let materialize = ours(folder.path(), "materialize", 0)?;
    let Joins { ours: join, polars, duckdb, sums } = joins(python, folder.path())?;
    let (little, is_limited) = with_little_memory(folder.path())?;
    same("with little memory", &sums, &sums::of(&folder.path().join("ours.parquet"))?)?;

    let of_copy = table::print("Parquet into Delta, 3 views", "DuckDB", &ingested(&ingest, &copy));
    println!();
    let of_polars = table::print("point-in-time join", "Polars", &joined(&join, &polars, &faster(&polars, &duckdb)));
    println!();
    let of_duckdb = table::print("point-in-time join", "DuckDB", &joined(&join, &duckdb, &faster(&polars, &duckdb)));
    println!();
    let line = |what: &str, found, unit, limit| Line::new(what, found, unit, limit, None);
    let held = if is_limited { LIMIT as f64 / MIB } else { f64::NAN };
    let of_little = table::print(
        "the same with little memory",
        "-",
        &[
            line("CPU", little.cpu_seconds, "s", None),
            line("wall", little.seconds, "s", None),
            line("peak memory with the program's own files", little.peak_bytes as f64 / MIB, "MiB", None),
            line("kept by the kernel to", held, "MiB", Some(Limit::AtMost(LIMIT as f64 / MIB))),
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

/// The medians of some rounds, and what all of them answered.
struct Joins {
    ours: Measured,
    polars: Measured,
    duckdb: Measured,
    sums: Vec<sums::Column>,
}

fn joins(python: &Path, folder: &Path) -> Result<Joins> {
    let (mut ours, mut polars, mut duckdb, mut sums) = (Vec::new(), Vec::new(), Vec::new(), None);
    for _ in 0..ROUNDS {
        ours.push(self::ours(folder, "join", MEMORY)?);
        polars.push(theirs(python, folder, "polars")?);
        duckdb.push(theirs(python, folder, "duckdb")?);
        let of = |name: &str| sums::of(&folder.join(name));
        let expected = sums.get_or_insert(of("ours.parquet")?);
        same("an earlier round", expected, &of("ours.parquet")?)?;
        same("Polars", expected, &of("polars.parquet")?)?;
        same("DuckDB", expected, &of("duckdb.parquet")?)?;
    }
    let sums = sums.context("there was no round")?;
    Ok(Joins { ours: median(ours)?, polars: median(polars)?, duckdb: median(duckdb)?, sums })
}

/// That whose CPU seconds are in the middle, with the middle of the wall seconds and the highest of the peaks.
fn median(mut rounds: Vec<Measured>) -> Result<Measured> {
    let peak_bytes = rounds.iter().map(|round| round.peak_bytes).max().context("there was no round")?;
    let mut seconds: Vec<f64> = rounds.iter().map(|round| round.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    rounds.sort_by(|a, b| a.cpu_seconds.total_cmp(&b.cpu_seconds));
    let middle = rounds.len() / 2;
    Ok(Measured { seconds: seconds[middle], peak_bytes, ..rounds.swap_remove(middle) })
}

/// The join, and whether the kernel kept it to [`LIMIT`].
fn with_little_memory(folder: &Path) -> Result<(Measured, bool)> {
    let command = our_command(folder, "join", LITTLE)?;
    match limited::Limited::to(LIMIT) {
        Ok(group) => Ok((finished("join, limited", &mut group.within(&command))?, true)),
        Err(error) => {
            println!("NOT LIMITED by the kernel: {error}; a control group needs root");
            Ok((finished("join", &mut { command })?, false))
        }
    }
}

fn ours(folder: &Path, step: &str, memory: usize) -> Result<Measured> {
    finished(step, &mut our_command(folder, step, memory)?)
}

fn our_command(folder: &Path, step: &str, memory: usize) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["features-step", step, "--folder"]).arg(folder);
    if memory > 0 {
        command.args(["--memory", &memory.to_string()]);
    }
    Ok(command)
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
        "  {what:<14} {:>8.2} CPU-s {:>8.2} s {:>8.0} MiB",
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
