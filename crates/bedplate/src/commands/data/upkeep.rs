//! `data versions|optimize|restore|vacuum`: what a table was, and what is kept of it.

use std::io::Write;

use bedplate_client::{DataVacuum, print};
use clap::Args;
use serde_json::Value;

use super::{Named, text};

#[derive(Debug, Args)]
pub struct Restore {
    #[command(flatten)]
    pub of: Named,
    /// The version to bring back, of `data versions`.
    #[arg(long, value_name = "VERSION")]
    pub to_version: i64,
}

#[derive(Clone, Debug, Args)]
pub struct Vacuum {
    #[command(flatten)]
    pub of: Named,
    /// Only say what would go.
    #[arg(long)]
    pub dry_run: bool,
    /// Keep what was current within this span, 12h or 30d; spec.retention of the dataset when left out.
    #[arg(long, value_name = "SPAN")]
    pub retain: Option<String>,
    /// Keep less than spec.retention says.
    #[arg(long)]
    pub force: bool,
}

impl Vacuum {
    pub fn wanted(&self) -> DataVacuum {
        DataVacuum { dry_run: self.dry_run, retain: self.retain.clone(), force: self.force }
    }
}

const VERSIONS: [&str; 9] = ["VERSION", "AT", "OPERATION", "BY", "ROWS", "FILES", "ADDED", "REMOVED", "READABLE"];

pub fn versions(out: &mut dyn Write, told: &Value) -> std::io::Result<()> {
    let row = |version: &Value| {
        let known = ["version", "at", "operation", "by", "rows", "files", "added", "removed"];
        let mut row: Vec<String> = known.iter().map(|name| text(&version[name])).collect();
        row.push(if version["readable"] == true { "yes".into() } else { "no".into() });
        row
    };
    let rows: Vec<Vec<String>> = told["versions"].as_array().into_iter().flatten().map(row).collect();
    print::grid(out, Some(&VERSIONS.map(str::to_owned)), &rows, print::Style::default())
}

pub fn optimized(out: &mut dyn Write, told: &Value) -> std::io::Result<()> {
    match told["filesRemoved"].as_u64() {
        Some(0) => writeln!(
            out,
            "nothing to join: the table is at version {} with {} files",
            told["version"], told["dataFiles"]
        ),
        _ => writeln!(
            out,
            "joined {} files into {}; the table is at version {} with {} files",
            told["filesRemoved"], told["filesAdded"], told["version"], told["dataFiles"]
        ),
    }
}

pub fn restored(out: &mut dyn Write, told: &Value) -> std::io::Result<()> {
    let [restored, version, rows] = ["restored", "version", "tableRows"].map(|name| text(&told[name]));
    writeln!(out, "version {restored} is back; the table is at version {version} with {rows} rows")
}

pub fn vacuumed(out: &mut dyn Write, told: &Value) -> std::io::Result<()> {
    let (goes, go) = if told["dryRun"] == true {
        ("would go", "could not be read any more")
    } else {
        ("went", "cannot be read any more")
    };
    let [files, bytes, retain] = ["files", "bytes", "retain"].map(|name| text(&told[name]));
    writeln!(out, "{files} files with {bytes} bytes {goes}; what was current in the last {retain} is kept")?;
    let list = |name: &str| told[name].as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(", ");
    let (versions, pinned) = (list("versions"), list("pinned"));
    if !versions.is_empty() {
        writeln!(out, "{go}: versions {versions}")?;
    }
    if !pinned.is_empty() {
        writeln!(out, "kept for training sets that were made of them: versions {pinned}")?;
    }
    Ok(())
}
