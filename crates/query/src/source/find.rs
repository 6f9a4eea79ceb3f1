//! The files a path means. The path is distrusted: whatever it leads to is looked up in full, and must lie below a root.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry, Metadata};
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use bedplate_kinds::DatasetSource;
use bedplate_lake::source::{Pattern, Segment, is_hidden, layout};

use super::SourceError;

/// A source of more files is refused.
pub(super) const MOST_FILES: usize = 10_000;
/// A glob that has to look at more names is refused.
pub(super) const MOST_NAMES: usize = 200_000;

/// A file that was found and not yet read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundFile {
    /// Its real path.
    pub path: PathBuf,
    pub bytes: u64,
    /// When it was last written, in microseconds since 1970.
    pub modified: i64,
    /// What a store calls this version of its bytes.
    pub tag: Option<String>,
}

pub(super) enum Place {
    Files(Vec<FoundFile>),
    /// The folder of a Delta table.
    Table(PathBuf),
}

pub(super) fn find(source: &DatasetSource, roots: &[PathBuf]) -> Result<Place, SourceError> {
    let declared = Path::new(&source.path);
    if declared.is_relative() {
        return Err(SourceError::Relative { path: source.path.clone() });
    }
    let pattern = Pattern::parse(&source.path)?;
    // A file may be called `report[1].csv`.
    if pattern.rest.is_empty() || declared.exists() {
        return literal(source, &real(declared, roots)?, roots);
    }
    let mut walk = Walk { source, roots, files: BTreeSet::new(), names: 0 };
    walk.down(&real(&pattern.base, roots)?, &pattern.rest)?;
    walk.end("nothing matches it")
}

fn literal(source: &DatasetSource, path: &Path, roots: &[PathBuf]) -> Result<Place, SourceError> {
    if path.is_file() {
        return Ok(Place::Files(vec![look(path)?]));
    }
    if !path.is_dir() {
        return Err(SourceError::NotAFile { path: path.to_owned() });
    }
    if path.join("_delta_log").is_dir() {
        return Ok(Place::Table(path.to_owned()));
    }
    let mut walk = Walk { source, roots, files: BTreeSet::new(), names: 0 };
    for entry in walk.entries(path)? {
        let name = entry.file_name().to_string_lossy().into_owned();
        let meant = !is_hidden(&name) && layout(&name, source).is_ok();
        if meant && entry.path().is_file() {
            walk.take(&entry.path())?;
        }
    }
    walk.end("the folder holds no file whose name tells CSV, JSON lines, Parquet or Arrow")
}

/// A path without links, below one of the roots. Outside of them nothing is told, not even whether a file is there.
pub(super) fn real(path: &Path, roots: &[PathBuf]) -> Result<PathBuf, SourceError> {
    let below = |path: &Path| roots.iter().any(|root| path.starts_with(root));
    let straight = path.components().all(|part| part != Component::ParentDir);
    let outside = || SourceError::Outside { path: path.to_owned() };
    match path.canonicalize() {
        Ok(real) if below(&real) => Ok(real),
        Err(error) if straight && below(path) => Err(SourceError::open(path)(error)),
        _ => Err(outside()),
    }
}

pub(super) fn look(path: &Path) -> Result<FoundFile, SourceError> {
    let known = fs::metadata(path).map_err(SourceError::open(path))?;
    Ok(FoundFile { path: path.to_owned(), bytes: known.len(), modified: modified(&known), tag: None })
}

/// When a file was last written, in microseconds since 1970; 0 where the file system does not tell.
pub(super) fn modified(known: &Metadata) -> i64 {
    let since = known.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

struct Walk<'a> {
    source: &'a DatasetSource,
    roots: &'a [PathBuf],
    files: BTreeSet<FoundFile>,
    names: usize,
}

impl Walk<'_> {
    fn down(&mut self, folder: &Path, rest: &[Segment]) -> Result<(), SourceError> {
        let Some((segment, after)) = rest.split_first() else { return Ok(()) };
        if *segment == Segment::Folders {
            self.down(folder, after)?;
        }
        for entry in self.entries(folder)? {
            if !segment.matches(&entry.file_name().to_string_lossy()) {
                continue;
            }
            let path = entry.path();
            match segment {
                // Links are not followed here: they could lead in circles.
                Segment::Folders if entry.file_type().is_ok_and(|kind| kind.is_dir()) => self.down(&path, rest)?,
                Segment::Folders => {}
                Segment::Name(_) if after.is_empty() && path.is_file() => self.take(&path)?,
                Segment::Name(_) if !after.is_empty() && path.is_dir() => {
                    self.down(&real(&path, self.roots)?, after)?;
                }
                Segment::Name(_) => {}
            }
        }
        Ok(())
    }

    /// By name.
    fn entries(&mut self, folder: &Path) -> Result<Vec<DirEntry>, SourceError> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(SourceError::open(folder))? {
            entries.push(entry.map_err(SourceError::open(folder))?);
            self.names += 1;
            self.bound("names", self.names, MOST_NAMES)?;
        }
        entries.sort_by_key(DirEntry::file_name);
        Ok(entries)
    }

    fn take(&mut self, path: &Path) -> Result<(), SourceError> {
        self.files.insert(look(&real(path, self.roots)?)?);
        self.bound("files", self.files.len(), MOST_FILES)
    }

    fn bound(&self, what: &'static str, are: usize, limit: usize) -> Result<(), SourceError> {
        if are <= limit { Ok(()) } else { Err(SourceError::TooMany { path: self.source.path.clone(), what, limit }) }
    }

    fn end(self, none: &str) -> Result<Place, SourceError> {
        if self.files.is_empty() {
            return Err(SourceError::NoFiles { path: self.source.path.clone(), why: none.to_owned() });
        }
        Ok(Place::Files(self.files.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use bedplate_kinds::Format;
    use bedplate_types::{ErrorKind, Explained};

    /// A root with files in it, and a folder beside it that may not be read.
    struct World(tempfile::TempDir);

    impl World {
        fn new(files: &[&str]) -> Self {
            let world = Self(tempfile::tempdir().unwrap());
            for file in files.iter().chain(&["../outside/secret.csv"]) {
                let path = world.root().join(file);
                fs::create_dir_all(world.root()).unwrap();
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, file).unwrap();
            }
            world
        }

        fn root(&self) -> PathBuf {
            self.0.path().canonicalize().unwrap().join("root")
        }

        fn find(&self, path: &str, format: Option<Format>) -> Result<Vec<String>, SourceError> {
            let path = self.root().join(path).to_string_lossy().into_owned();
            let source = DatasetSource { format, ..DatasetSource::at(path) };
            let Place::Files(files) = find(&source, &[self.root()])? else { panic!("a table") };
            let below = |file: FoundFile| file.path.strip_prefix(self.root()).unwrap().display().to_string();
            Ok(files.into_iter().map(below).collect())
        }

        fn check(&self, path: &str, expect: &[&str]) {
            assert_eq!(self.find(path, None).unwrap(), expect, "{path}");
        }

        fn refused(&self, path: &str, kind: ErrorKind, words: &str) {
            let error = self.find(path, None).unwrap_err();
            let told = format!("{error} {}", error.fix().unwrap());
            assert!(error.kind() == kind && told.contains(words), "{path}: {:?} {told}", error.kind());
        }
    }

    #[test]
    fn files_folders_and_globs_are_found_in_the_order_of_their_paths() {
        let world =
            World::new(&["b.csv", "a.csv.gz", "x/c.csv", "x/y/d.csv", "README", ".a.csv", "_b.csv", "r[1].csv"]);
        world.check("b.csv", &["b.csv"]);
        world.check("README", &["README"]);
        world.check("", &["a.csv.gz", "b.csv", "r[1].csv"]);
        world.check("*.csv*", &["a.csv.gz", "b.csv", "r[1].csv"]);
        world.check("*/*.csv", &["x/c.csv"]);
        world.check("**/*.csv", &["b.csv", "r[1].csv", "x/c.csv", "x/y/d.csv"]);
        world.check("**/**/?.csv", &["b.csv", "x/c.csv", "x/y/d.csv"]);
        world.check("x/**", &["x/c.csv", "x/y/d.csv"]);
        world.check("r[1].csv", &["r[1].csv"]);
        assert_eq!(world.find("", Some(Format::Csv)).unwrap(), ["README", "a.csv.gz", "b.csv", "r[1].csv"]);
    }

    #[test]
    fn nothing_found_is_an_error_with_the_command_that_fixes_it() {
        let world = World::new(&["README", "empty/.keep"]);
        world.refused("*.csv", ErrorKind::Invalid, "bedplate apply");
        world.refused("empty", ErrorKind::Invalid, "bedplate apply");
        world.refused("", ErrorKind::Invalid, "ls /");
        world.refused("gone.csv", ErrorKind::Invalid, "gone.csv");
        world.refused("gone/*.csv", ErrorKind::Invalid, "gone");
        world.refused("[", ErrorKind::Invalid, "spec.source.path");
    }

    #[test]
    fn nothing_leads_out_of_the_roots() {
        let world = World::new(&["a.csv", "x/b.csv"]);
        let outside = world.root().join("../outside").canonicalize().unwrap();
        for path in [outside.join("secret.csv"), outside.join("none.csv"), outside.join("*.csv"), outside.join("n/*")] {
            world.refused(path.to_str().unwrap(), ErrorKind::Denied, "outside the folders");
        }
        world.refused("*/../outside/secret.csv", ErrorKind::Invalid, "upwards");
        for path in ["../outside/*.csv", "../outside/secret.csv", "../outside/none.csv", "../none/*", "x/../../outside"]
        {
            world.refused(path, ErrorKind::Denied, "outside the folders");
        }
        world.check("x/../*.csv", &["a.csv"]);
        symlink(outside.join("secret.csv"), world.root().join("x/link.csv")).unwrap();
        world.refused("x/link.csv", ErrorKind::Denied, "outside the folders");
        world.refused("x/*.csv", ErrorKind::Denied, "link.csv");
        world.refused("x", ErrorKind::Denied, "link.csv");
        world.refused("**/*.csv", ErrorKind::Denied, "link.csv");
        symlink(&outside, world.root().join("dir")).unwrap();
        world.refused("dir/*.csv", ErrorKind::Denied, "outside the folders");
        world.refused("d*/*.csv", ErrorKind::Denied, "outside the folders");
        fs::remove_file(world.root().join("x/link.csv")).unwrap();
        symlink(world.root(), world.root().join("x/round")).unwrap();
        world.check("**/*.csv", &["a.csv", "x/b.csv"]);
        world.check("x/round/*.csv", &["a.csv"]);
    }
}
