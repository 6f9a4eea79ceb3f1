//! `restore`: a home made of a backup.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bedplate_types::Problem;
use clap::Args;

use crate::backup::restore;
use crate::platform::migrations;

#[derive(Debug, Args)]
pub struct Restore {
    /// The archive that `bedplate backup` wrote. The home it is restored to must be missing or empty.
    pub file: PathBuf,
}

pub fn run(home: &Path, command: &Restore) -> Result<ExitCode, Problem> {
    let manifest = restore(&command.file, home, &migrations())?;
    eprintln!("{} is the platform of {}", home.display(), manifest.about.made_at);
    if !manifest.about.with_keys {
        eprintln!("its keys were not in the backup: put keys/ and credentials back into it before the first start");
    }
    Ok(ExitCode::SUCCESS)
}
