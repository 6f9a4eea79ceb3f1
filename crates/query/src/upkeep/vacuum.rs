//! Removing the data files that no version needs which is still to be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use bedplate_types::{Span, Timestamp};
use serde::Serialize;

use super::{Held, UpkeepError, blocking};
use crate::Lake;
use crate::delta::{self, TableError, TableVersion};
use crate::ingest::quarantine_name;

/// What is kept.
#[derive(Clone, Debug)]
pub struct Vacuum {
    pub now: Timestamp,
    /// Whatever counted at some moment of this span before now.
    pub keep: Span,
    /// Versions that are kept whatever their age.
    pub pinned: BTreeSet<i64>,
}

/// What goes, or went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Vacuumed {
    /// Data files, of the table and of its quarantine.
    pub files: u64,
    pub bytes: u64,
    /// Versions of the table that could be read before, and cannot any more.
    pub versions: Vec<i64>,
    /// Versions that would be among them, were they not pinned.
    pub pinned: Vec<i64>,
}

impl Lake {
    /// Decides what goes, has `agree` told of it, and removes it when that is fine; an error of `agree` leaves everything.
    /// The current version never goes, nor a file that is being written, nor one that no version has and that is younger
    /// than what is kept. Killed in between, it goes on where it was the next time.
    ///
    /// # Errors
    /// What `agree` said; [`UpkeepError`] as its own.
    pub async fn vacuum<E: From<UpkeepError>>(
        &self,
        namespace: &str,
        name: &str,
        vacuum: Vacuum,
        agree: impl AsyncFnOnce(&Vacuumed) -> Result<bool, E>,
    ) -> Result<Vacuumed, E> {
        let Held { table, writing, .. } = Held::enter(self, namespace, name).await?;
        let beside = self.location(namespace, &quarantine_name(name)).map_err(UpkeepError::from)?;
        let quarantine = Vacuum { pinned: BTreeSet::new(), ..vacuum.clone() };
        let (location, held) = (table.location.clone(), writing.clone());
        let found =
            blocking(held, move || Ok::<_, TableError>((doomed(&location, &vacuum)?, doomed(&beside, &quarantine)?)));
        let (mut going, rest) = found.await?;
        going.files.extend(rest.files);
        let told = going.told();
        if !agree(&told).await? {
            return Ok(told);
        }
        blocking(writing, move || going.files.keys().try_for_each(|path| remove(path))).await?;
        Ok(told)
    }
}

#[derive(Default)]
struct Doomed {
    /// With their bytes.
    files: BTreeMap<std::path::PathBuf, u64>,
    versions: Vec<i64>,
    pinned: Vec<i64>,
}

impl Doomed {
    fn told(&self) -> Vacuumed {
        let (versions, pinned) = (self.versions.clone(), self.pinned.clone());
        Vacuumed { files: self.files.len() as u64, bytes: self.files.values().sum(), versions, pinned }
    }
}

fn doomed(location: &Path, vacuum: &Vacuum) -> Result<Doomed, TableError> {
    if !delta::exists(location)? {
        return Ok(Doomed::default());
    }
    let versions = delta::versions(location)?;
    let since = Timestamp::from_micros(vacuum.now.micros().saturating_sub(vacuum.keep.micros()));
    let young = kept(&versions, since, &BTreeSet::new());
    let kept = kept(&versions, since, &vacuum.pinned);
    let needed: BTreeSet<&String> =
        versions.iter().filter(|one| kept.contains(&one.version)).flat_map(|one| &one.paths).collect();
    let known: BTreeSet<&String> = versions.iter().flat_map(|one| &one.paths).collect();
    let mut files = BTreeMap::new();
    for (name, bytes, changed) in data_files(location)? {
        if !needed.contains(&name) && (known.contains(&name) || changed < since) {
            files.insert(location.join(&name), bytes);
        }
    }
    let loses = |one: &&TableVersion| {
        one.readable && !kept.contains(&one.version) && !one.paths.iter().all(|path| needed.contains(path))
    };
    let gone = versions.iter().filter(loses).map(|one| one.version).collect();
    let pinned = kept.difference(&young).copied().collect();
    Ok(Doomed { files, versions: gone, pinned })
}

/// The latest version, what still counted at `since`, and what is pinned.
fn kept(versions: &[TableVersion], since: Timestamp, pinned: &BTreeSet<i64>) -> BTreeSet<i64> {
    let ends = versions.iter().skip(1).map(|next| next.at).chain([None]);
    // A commit that does not say when it was made is as young as can be.
    let counts = |(one, end): (&TableVersion, Option<Timestamp>)| {
        let young = end.is_none_or(|end| end > since);
        (young || pinned.contains(&one.version)).then_some(one.version)
    };
    versions.iter().zip(ends).filter_map(counts).collect()
}

/// The Parquet files in a table's folders, with their bytes and when they were written. Hidden ones are being written.
fn data_files(location: &Path) -> Result<Vec<(String, u64, Timestamp)>, TableError> {
    let mut found = Vec::new();
    for (path, _) in delta::in_folders(location)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with('.') || !name.ends_with(".parquet") {
            continue;
        }
        let known = fs::symlink_metadata(&path).map_err(TableError::io("look at", &path))?;
        let changed = known.modified().map_err(TableError::io("look at", &path))?;
        let micros = changed.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        if known.is_file() {
            let changed = Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX));
            let within = path.strip_prefix(location).unwrap_or(&path);
            found.push((within.to_string_lossy().into_owned(), known.len(), changed));
        }
    }
    Ok(found)
}

fn remove(path: &Path) -> Result<(), TableError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done.map_err(TableError::io("remove", path)),
    }?;
    remove_empty(path);
    Ok(())
}

/// The folder of a partition whose last file went goes with it; one that is not empty does not.
fn remove_empty(file: &Path) {
    let is_partition = |folder: &&Path| folder.file_name().is_some_and(|name| name.to_string_lossy().contains('='));
    for folder in file.ancestors().skip(1).take_while(is_partition) {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Versions made at these moments.
    fn check(made: &[i64], since: i64, pinned: &[i64], expect: &[i64]) {
        let version = |(number, at): (usize, &i64)| TableVersion {
            version: i64::try_from(number).unwrap(),
            at: Some(Timestamp::from_micros(*at)),
            operation: String::new(),
            by: None,
            rows: None,
            files: 0,
            added: 0,
            removed: 0,
            loaded: 0,
            input_digest: None,
            readable: true,
            object: String::new(),
            paths: BTreeSet::new(),
        };
        let versions: Vec<TableVersion> = made.iter().enumerate().map(version).collect();
        let kept = kept(&versions, Timestamp::from_micros(since), &pinned.iter().copied().collect());
        assert_eq!(kept, expect.iter().copied().collect(), "{made:?} since {since}");
    }

    #[test]
    fn what_counted_at_some_moment_since_is_kept() {
        check(&[10, 20, 30], 25, &[], &[1, 2]);
        check(&[10, 20, 30], 20, &[], &[1, 2]);
        check(&[10, 20, 30], 19, &[], &[0, 1, 2]);
        check(&[10, 20, 30], 99, &[], &[2]);
        check(&[10, 20, 30], 99, &[0], &[0, 2]);
        check(&[10], 99, &[], &[0]);
        check(&[], 0, &[7], &[]);
    }
}
