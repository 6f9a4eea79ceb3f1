//! One file of a source, open, with the digest of what will be read from it.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bedplate_lake::source::SourceFile;
use bedplate_types::Digest;
use sha2::{Digest as _, Sha256};

use super::{FoundFile, SourceError, find};

/// A change sooner after the one before may leave a file's times as they were: clocks of file systems have steps.
const STEP: Duration = Duration::from_secs(2);

/// The digest and the rows come from the same open file: putting another in its place meanwhile mixes nothing.
pub(crate) struct Opened {
    pub path: PathBuf,
    pub entry: SourceFile,
    pub(super) file: File,
    pub(super) state: State,
}

/// What a file system tells of a file, other after each change of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    device: u64,
    inode: u64,
    bytes: u64,
    /// Seconds and nanoseconds since 1970 of the last change of its bytes, and of it or what is told of it.
    written: (i64, i64),
    changed: (i64, i64),
}

impl State {
    pub fn of(known: &Metadata) -> Self {
        Self {
            device: known.dev(),
            inode: known.ino(),
            bytes: known.len(),
            written: (known.mtime(), known.mtime_nsec()),
            changed: (known.ctime(), known.ctime_nsec()),
        }
    }

    /// Whether every later change shows.
    fn shows_changes(&self, now: SystemTime) -> bool {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(STEP);
        i64::try_from(now.as_secs()).is_ok_and(|now| self.changed.0 < now)
    }
}

/// Files that were read for their digests, by path.
pub(crate) type HashedFiles = HashMap<String, Hashed>;

#[expect(clippy::disallowed_methods, reason = "file systems tell their times by the machine's clock")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// A file that was read for its digest.
#[derive(Clone, Debug)]
pub(crate) struct Hashed {
    entry: SourceFile,
    state: State,
}

impl Opened {
    /// Opens a file, and reads it for its digest unless it is as it was when it was read for that before.
    pub fn new(path: &Path, before: &HashedFiles) -> Result<Self, SourceError> {
        let failed = |source| SourceError::Open { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        let known = file.metadata().map_err(failed)?;
        if !known.is_file() {
            return Err(SourceError::NotAFile { path: path.to_owned() });
        }
        let state = State::of(&known);
        let hashed = path.to_str().and_then(|path| before.get(path));
        if let Some(hashed) = hashed.filter(|hashed| hashed.state == state) {
            return Ok(Self { path: path.to_owned(), entry: hashed.entry.clone(), file, state });
        }
        let mut hash = Hash(Sha256::new());
        io::copy(&mut file, &mut hash).and_then(|_| file.rewind()).map_err(failed)?;
        let entry = SourceFile {
            path: path.to_str().ok_or_else(|| SourceError::Name { path: path.to_owned() })?.to_owned(),
            digest: Digest::from_sha256(hash.0.finalize().into()),
            bytes: known.len(),
            modified: find::modified(&known),
            tag: None,
        };
        Ok(Self { path: path.to_owned(), entry, file, state })
    }

    /// What need not be read again, as long as the file is not changed; none of one that was changed a moment ago.
    fn hashed(self, now: SystemTime) -> Option<Hashed> {
        self.state.shows_changes(now).then_some(Hashed { entry: self.entry, state: self.state })
    }

    /// The file itself, to be read while `self` still tells whether it was changed.
    pub(super) fn file(&self) -> Result<File, SourceError> {
        self.file.try_clone().map_err(SourceError::open(&self.path))
    }

    /// Fails when somebody wrote into the file since it was opened: what was read then is not what has the digest.
    pub fn check_steady(&self) -> Result<(), SourceError> {
        let known = self.file.metadata().map_err(SourceError::open(&self.path))?;
        if State::of(&known) == self.state {
            return Ok(());
        }
        Err(SourceError::Unsteady { path: self.path.clone() })
    }
}

/// The files with their digests, and those that were read for it. One that is as long and as old as when it was loaded is not.
pub(crate) fn digests(
    found: &[FoundFile],
    loaded: &[SourceFile],
) -> Result<(Vec<SourceFile>, HashedFiles), SourceError> {
    let same = |found: &FoundFile, file: &SourceFile| {
        found.path.to_str() == Some(&file.path) && (found.bytes, found.modified) == (file.bytes, file.modified)
    };
    let by_path: HashMap<&str, &SourceFile> = loaded.iter().map(|file| (file.path.as_str(), file)).collect();
    let (mut files, mut read) = (Vec::new(), HashedFiles::new());
    for file in found {
        let known = file.path.to_str().and_then(|path| by_path.get(path)).filter(|known| same(file, known));
        if let Some(known) = known {
            files.push((*known).clone());
            continue;
        }
        let now = now();
        let opened = Opened::new(&file.path, &HashedFiles::new())?;
        files.push(opened.entry.clone());
        read.extend(opened.hashed(now).map(|hashed| (hashed.entry.path.clone(), hashed)));
    }
    Ok((files, read))
}

/// Of the bytes of one file, or of the digests of several in their order.
pub(crate) fn digest_of(files: &[SourceFile]) -> Digest {
    if let [file] = files {
        return file.digest;
    }
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.digest.to_string());
        hash.update([0]);
    }
    Digest::from_sha256(hash.finalize().into())
}

struct Hash(Sha256);

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const LATER: Duration = Duration::from_secs(60);

    /// A file of these bytes, read for its digest a minute after it was written.
    fn hashed(path: &Path, bytes: &str) -> HashedFiles {
        fs::write(path, bytes).unwrap();
        let opened = Opened::new(path, &HashedFiles::new()).unwrap();
        let hashed = opened.hashed(now() + LATER).unwrap();
        HashedFiles::from([(hashed.entry.path.clone(), hashed)])
    }

    #[test]
    fn a_digest_is_believed_until_the_file_is_changed_however_well_that_is_hidden() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        let mut before = hashed(&path, "one");
        let told = Digest::from_sha256([7; 32]);
        before.values_mut().for_each(|hashed| hashed.entry.digest = told);
        assert_eq!(Opened::new(&path, &before).unwrap().entry.digest, told);

        let written = fs::metadata(&path).unwrap().modified().unwrap();
        std::thread::sleep(Duration::from_millis(20));
        fs::write(&path, "two").unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
        let opened = Opened::new(&path, &before).unwrap();
        assert_eq!(opened.entry.digest, Digest::from_sha256(Sha256::digest("two").into()));
    }

    #[test]
    fn a_file_changed_a_moment_ago_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        fs::write(&path, "one").unwrap();
        let found = [find::look(&path).unwrap()];
        assert!(digests(&found, &[]).unwrap().1.is_empty());
    }
}
