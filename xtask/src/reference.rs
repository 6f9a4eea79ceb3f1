//! `cargo xtask reference`: writes the pages of the kinds and what the chart holds of them.
//!
//! The writing is done by the test that holds them current (`tests/it/reference.rs`): it knows the kinds, which this program
//! need not be built with.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cargo::cargo;

/// Tells the test to write what differs.
const WRITE: &str = "BEDPLATE_WRITE_REFERENCE";

pub fn run() -> Result<ExitCode> {
    let mut command =
        cargo(&["test", "--package", "xtask", "--test", "it", "--", "reference::is_current", "--nocapture"]);
    let status = command.env(WRITE, "1").status().context("cannot start cargo test")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
