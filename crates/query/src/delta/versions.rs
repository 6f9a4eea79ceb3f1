//! The versions of a table, told by its own log: when, by what, how much; and whether their files are all there.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use bedplate_types::Timestamp;
use deltalake_core::Path as FilePath;
use serde::Serialize;
use serde_json::Value;

use super::committed::{Record, parse};
use super::{TableError, log};

/// A version of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TableVersion {
    pub version: i64,
    /// When it was committed.
    pub at: Option<Timestamp>,
    /// `load`, `merge`, `release`, `discard`, `optimize`, `restore`; or what another tool's commit says of itself.
    pub operation: String,
    /// Who ordered it, where a person did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Rows of the version.
    pub rows: Option<u64>,
    /// Data files of the version, how many of them it added, and how many of the version before are not in it.
    pub files: usize,
    pub added: usize,
    pub removed: usize,
    /// Files of the source whose rows it brought.
    pub loaded: usize,
    /// Of the ingest it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_digest: Option<String>,
    /// Whether all its data files are there: a version that was vacuumed cannot be read.
    pub readable: bool,
    /// The dataset that made it, by its uid.
    #[serde(skip)]
    pub(crate) object: String,
    /// Paths of its data files within the table's folder.
    #[serde(skip)]
    pub(crate) paths: BTreeSet<String>,
}

/// Every version, oldest first.
pub(crate) fn versions(location: &Path) -> Result<Vec<TableVersion>, TableError> {
    let commits = log::commits(location)?;
    if let Some((first, _)) = commits.first().filter(|(first, _)| *first != 0) {
        return Err(TableError::CutLog { location: location.to_owned(), first: *first });
    }
    let mut is_there = There { location, known: HashMap::new() };
    let mut paths = BTreeSet::new();
    let mut versions = Vec::new();
    for (version, file) in commits {
        let actions = log::actions(location, &file)?;
        let (mut added, mut removed) = (0, 0);
        for action in &actions {
            removed += usize::from(path(action, "remove").is_some_and(|path| paths.remove(&path)));
            added += usize::from(path(action, "add").is_some_and(|path| paths.insert(path)));
        }
        let info = actions.iter().find_map(|action| action.get("commitInfo"));
        let readable = paths.iter().all(|path| is_there.look(path));
        let known = TableVersion { added, removed, readable, ..told(version, info, paths.clone()) };
        versions.push(known);
    }
    Ok(versions)
}

/// Whether files are there; each is looked for once.
struct There<'a> {
    location: &'a Path,
    known: HashMap<String, bool>,
}

impl There<'_> {
    fn look(&mut self, path: &str) -> bool {
        *self.known.entry(path.to_owned()).or_insert_with(|| self.location.join(path).is_file())
    }
}

/// The path an action is about: it is a URI's, and may be escaped.
fn path(action: &Value, sort: &str) -> Option<String> {
    let text = action.get(sort)?.get("path")?.as_str()?;
    Some(FilePath::from_url_path(text).map_or_else(|_| text.to_owned(), |path| path.as_ref().to_owned()))
}

fn told(version: i64, info: Option<&Value>, paths: BTreeSet<String>) -> TableVersion {
    let record = info.and_then(parse);
    let millis = info.and_then(|info| info.get("timestamp")?.as_i64());
    let by_itself = info.and_then(|info| info.get("operation")?.as_str());
    TableVersion {
        version,
        at: millis.map(|millis| Timestamp::from_micros(millis.saturating_mul(1_000))),
        operation: record.as_ref().map_or_else(|| by_itself.unwrap_or_default().to_lowercase(), operation),
        by: record.as_ref().and_then(by),
        rows: record.as_ref().map(|record| record.rows),
        files: paths.len(),
        added: 0,
        removed: 0,
        loaded: record.as_ref().and_then(|record| record.files.as_ref()).map_or(0, Vec::len),
        input_digest: record.as_ref().map(|record| record.input_digest.to_string()),
        readable: true,
        object: record.map(|record| record.object).unwrap_or_default(),
        paths,
    }
}

fn operation(record: &Record) -> String {
    let of_people = record.review.as_ref().map(|review| review.action.as_str());
    let kept_up = record.upkeep.as_ref().map(|upkeep| upkeep.action.as_str());
    let loaded = if record.key.is_empty() || !record.appended { "load" } else { "merge" };
    of_people.or(kept_up).unwrap_or(loaded).to_owned()
}

fn by(record: &Record) -> Option<String> {
    let of_people = record.review.as_ref().map(|review| review.by.clone());
    of_people.or_else(|| record.upkeep.as_ref().map(|upkeep| upkeep.by.clone()))
}

/// `0 to 4, 7`
pub(crate) fn ranges(versions: impl IntoIterator<Item = i64>) -> String {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for version in versions {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == version => *last = version,
            _ => ranges.push((version, version)),
        }
    }
    let told = ranges.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first} to {last}"),
    });
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn versions_are_told_by_their_ranges() {
        assert_eq!(ranges([0, 1, 2, 5, 7, 8]), "0 to 2, 5, 7 to 8");
        assert_eq!(ranges([]), "");
    }
}
