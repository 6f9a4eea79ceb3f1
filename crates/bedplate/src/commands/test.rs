//! `test`: the tests that lie beside manifests, run without a platform.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use bedplate_plan::Manifest;
use bedplate_plan::check::{self, Outcome, Suite};
use bedplate_types::{ErrorKind, Problem, SystemClock};
use clap::Args;

use super::connect::out;
use super::plan::manifest;
use crate::cli::Report;
use crate::rules::more_rules;
use crate::tell::colours;

/// A suite larger than this is not one.
const LARGEST: u64 = 1 << 20;
/// Folders are not followed deeper.
const DEPTH: usize = 8;

#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 every test passed · 9 one failed; otherwise those of bedplate --help.")]
pub struct Test {
    /// A file *.test.yaml, or a folder in which they are looked for.
    pub path: PathBuf,
    #[arg(short, long, value_enum, default_value_t = Report::Text)]
    pub output: Report,
}

pub async fn run(command: &Test) -> Result<ExitCode, Problem> {
    let mut files = Vec::new();
    find(&command.path, DEPTH, &mut files)?;
    files.sort();
    if files.is_empty() {
        let why = "there is no file *.test.yaml";
        let problem = Problem::new(ErrorKind::NotFound, command.path.display().to_string(), why);
        return Err(problem.with_fix("bedplate init TEMPLATE DIR writes manifests with a test"));
    }
    let mut outcomes = Vec::new();
    for file in &files {
        outcomes.extend(suite(file).await?);
    }
    show(&outcomes, command.output)?;
    let failed = outcomes.iter().any(|outcome| !outcome.passed);
    Ok(if failed { ExitCode::from(ErrorKind::Refused.exit_code()) } else { ExitCode::SUCCESS })
}

fn find(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Problem> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let unreadable = |error: std::io::Error| unreadable(path, &error);
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // Links are not followed: they may lead round in a circle.
        let is_folder = entry.file_type().map_err(unreadable)?.is_dir();
        if is_folder && depth > 0 && !name.starts_with('.') {
            find(&entry.path(), depth - 1, files)?;
        } else if name.ends_with(".test.yaml") || name.ends_with(".test.yml") {
            files.push(entry.path());
        }
    }
    Ok(())
}

async fn suite(file: &Path) -> Result<Vec<Outcome>, Problem> {
    let told = |error: String| {
        Problem::new(ErrorKind::Invalid, file.display().to_string(), error).with_fix("correct the file and test again")
    };
    if std::fs::metadata(file).map_err(|error| unreadable(file, &error))?.len() > LARGEST {
        return Err(Problem::new(ErrorKind::TooLarge, file.display().to_string(), "a file of tests has 1 MiB at most"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    let mut suite: Suite = serde_saphyr::from_str(&text).map_err(|error| told(first_line(&error.to_string())))?;
    if suite.name.is_empty() {
        suite.name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let manifests = load(&folder.join(&suite.manifests))?;
    let mut given = Vec::new();
    for path in &suite.given {
        given.extend(load(&folder.join(path))?);
    }
    let scratch = tempfile::tempdir()
        .map_err(|error| Problem::new(ErrorKind::Internal, "a folder for the test", error.to_string()))?;
    let clock = Arc::new(SystemClock);
    let ran = check::run(&suite, &manifests, &given, scratch.path(), clock, Some(more_rules)).await;
    ran.map_err(|error| Problem::of(file.display().to_string(), &error))
}

fn load(path: &Path) -> Result<Vec<Manifest>, Problem> {
    let found = bedplate_client::load_manifests(path);
    found.map_err(|error| Problem::of(path.display().to_string(), &error))?.iter().map(manifest).collect()
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    let kind = if error.kind() == std::io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Invalid };
    Problem::new(kind, path.display().to_string(), error.to_string())
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or(message).to_owned()
}

fn show(outcomes: &[Outcome], output: Report) -> Result<(), Problem> {
    let mut stdout = std::io::stdout();
    match output {
        Report::Json => {
            let told = serde_json::to_value(outcomes).unwrap_or_default();
            out(bedplate_client::print::json(&mut stdout, &told)).map(drop)
        }
        Report::Text => {
            let style = bedplate_plan::print::Style { color: colours(&stdout) };
            out(bedplate_plan::print::outcomes(&mut stdout, outcomes, style)).map(drop)
        }
    }
}
