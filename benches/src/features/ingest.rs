//! A file of many rows becomes a Delta table, judged by a suite and a constraint, within 2 GiB.

use std::fs;
use std::process::ExitCode;

use anyhow::Result;

use super::{GIB, MIB, data, finished, our_command};
use crate::table::{self, Limit, Line};

pub fn run(rows: usize) -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    println!("writing {rows} rows");
    data::write_large(folder.path(), rows)?;
    let bytes = fs::metadata(folder.path().join("large.parquet"))?.len();
    let measured = finished("ingest-large", &mut our_command(folder.path(), "ingest-large", 0)?)?;
    let memory = Some(Limit::AtMost(2.0 * GIB as f64 / MIB));
    let lines = [
        Line::new("the file", bytes as f64 / MIB, "MiB", None, None),
        Line::new("CPU", measured.cpu_seconds, "s", None, None),
        Line::new("wall", measured.seconds, "s", None, None),
        Line::new("rows a second", rows as f64 / measured.seconds, "", None, None),
        Line::new("peak memory", measured.peak_bytes as f64 / MIB, "MiB", memory, None),
    ];
    let holds = table::print("Parquet into Delta, four expectations, one constraint", "-", &lines);
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
