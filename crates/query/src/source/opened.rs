//! One file of a source, open, with the digest of what will be read from it.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use bedplate_lake::source::SourceFile;
use bedplate_types::Digest;
use sha2::{Digest as _, Sha256};

use super::{FoundFile, SourceError, find};

/// The digest and the rows come from the same open file: putting another in its place meanwhile mixes nothing.
pub(crate) struct Opened {
    pub path: PathBuf,
    pub entry: SourceFile,
    pub(super) file: File,
}

impl Opened {
    /// Opens a file and reads it once for its digest.
    pub fn new(path: &Path) -> Result<Self, SourceError> {
        let failed = |source| SourceError::Open { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        let known = file.metadata().map_err(failed)?;
        if !known.is_file() {
            return Err(SourceError::NotAFile { path: path.to_owned() });
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
        Ok(Self { path: path.to_owned(), entry, file })
    }

    /// The file itself, to be read while `self` still tells whether it was changed.
    pub(super) fn file(&self) -> Result<File, SourceError> {
        self.file.try_clone().map_err(SourceError::open(&self.path))
    }

    /// Fails when somebody wrote into the file since it was opened: what was read then is not what has the digest.
    pub fn check_steady(&self) -> Result<(), SourceError> {
        let known = self.file.metadata().map_err(SourceError::open(&self.path))?;
        if (known.len(), find::modified(&known)) == (self.entry.bytes, self.entry.modified) {
            return Ok(());
        }
        Err(SourceError::Unsteady { path: self.path.clone() })
    }
}

/// The files with their digests. One that is as long and as old as when it was loaded is not read for it again.
pub(crate) fn digests(found: &[FoundFile], loaded: &[SourceFile]) -> Result<Vec<SourceFile>, SourceError> {
    let same = |found: &FoundFile, file: &SourceFile| {
        found.path.to_str() == Some(&file.path) && (found.bytes, found.modified) == (file.bytes, file.modified)
    };
    let by_path: std::collections::HashMap<&str, &SourceFile> =
        loaded.iter().map(|file| (file.path.as_str(), file)).collect();
    let known = |file: &FoundFile| by_path.get(file.path.to_str()?).filter(|known| same(file, known)).copied().cloned();
    found.iter().map(|file| known(file).map_or_else(|| Ok(Opened::new(&file.path)?.entry), Ok)).collect()
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
