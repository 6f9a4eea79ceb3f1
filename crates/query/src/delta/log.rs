//! The `_delta_log` folder as files: which commits there are, and whether each can be read to its end.
//!
//! The Delta library says that *something* in a log is wrong, or takes a torn commit for an empty one. This says which file.
//! Format: <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#delta-log-entries>.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::TableError;

/// The commits of a table, oldest first; empty when there is no table. Checkpoints are not listed.
pub(super) fn commits(location: &Path) -> Result<Vec<(i64, PathBuf)>, TableError> {
    let dir = location.join("_delta_log");
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut commits = Vec::new();
    for entry in fs::read_dir(&dir).map_err(TableError::io("list", &dir))? {
        let path = entry.map_err(TableError::io("list", &dir))?.path();
        commits.extend(version_of(&path).map(|version| (version, path)));
    }
    commits.sort_unstable();
    Ok(commits)
}

fn version_of(path: &Path) -> Option<i64> {
    let digits = path.file_name()?.to_str()?.strip_suffix(".json")?;
    (digits.len() == 20).then(|| digits.parse().ok())?
}

/// The actions of one commit. A commit that was cut off anywhere but between two actions is corrupt.
pub(super) fn actions(location: &Path, file: &Path) -> Result<Vec<Value>, TableError> {
    let corrupt = |why: String| TableError::Corrupt { file: file.to_owned(), location: location.to_owned(), why };
    let bytes = fs::read(file).map_err(TableError::io("read", file))?;
    let text = String::from_utf8(bytes).map_err(|error| corrupt(format!("it is not UTF-8: {error}")))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let actions = lines.map(|(i, line)| {
        serde_json::from_str(line).map_err(|error| corrupt(format!("line {} is not JSON: {error}", i + 1)))
    });
    let actions = actions.collect::<Result<Vec<Value>, _>>()?;
    if actions.is_empty() {
        return Err(corrupt("it is empty".into()));
    }
    Ok(actions)
}

/// Checks the newest commits: `limit` of them, newest first.
pub(super) fn verify(location: &Path, limit: usize) -> Result<(), TableError> {
    for (_, file) in commits(location)?.iter().rev().take(limit) {
        actions(location, file)?;
    }
    Ok(())
}
