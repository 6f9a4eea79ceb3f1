//! Saying loudly what was not run.

use std::fs::OpenOptions;
use std::io::Write;

/// The environment variable that names the file where `cargo xtask test` collects what was not run.
pub const NOT_RUN_FILE: &str = "BEDPLATE_NOT_RUN_FILE";

/// Says `NOT RUN: <reason>` on standard error, and in the file that [`NOT_RUN_FILE`] names.
pub fn not_run(reason: &str) {
    eprintln!("NOT RUN: {reason}");
    if let Some(file) = std::env::var_os(NOT_RUN_FILE) {
        let written = OpenOptions::new().create(true).append(true).open(&file).and_then(|mut file| {
            // One write, so that lines of tests running at the same time do not mix.
            file.write_all(format!("NOT RUN: {reason}\n").as_bytes())
        });
        if let Err(error) = written {
            eprintln!("cannot write to {}: {error}", file.display());
        }
    }
}
