//! A file without a name for what comes from elsewhere: it is gone with whoever holds it, however that ends.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use bedplate_lake::source::SourceFile;
use bedplate_types::Digest;
use sha2::{Digest as _, Sha256};

use super::ElsewhereError;
use crate::source::opened::State;
use crate::source::{Opened, SourceError};

/// The most that is kept of one file, or of one reading of a database.
pub(super) const MOST_BYTES: u64 = 64 << 30;

pub(super) struct Spool {
    place: String,
    file: File,
    hash: Sha256,
    pub bytes: u64,
    limit: u64,
}

impl Spool {
    /// A file in the folder, which is made when it is not there.
    pub fn new(folder: &Path, place: &str) -> Result<Self, ElsewhereError> {
        let made = std::fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
        let file = made.map_err(|source| ElsewhereError::Spool { place: place.to_owned(), source })?;
        Ok(Self { place: place.to_owned(), file, hash: Sha256::new(), bytes: 0, limit: MOST_BYTES })
    }

    pub fn failed(&self, source: io::Error) -> ElsewhereError {
        if self.bytes > self.limit {
            return ElsewhereError::TooLarge { place: self.place.clone(), bytes: self.bytes, limit: self.limit };
        }
        ElsewhereError::Spool { place: self.place.clone(), source }
    }

    /// What came, to be read as a file of the source that is known by `place`. `digest` stands for it; unsaid, its bytes do.
    pub fn open(
        mut self,
        modified: i64,
        tag: Option<String>,
        digest: Option<Digest>,
    ) -> Result<Opened, ElsewhereError> {
        let place = self.place.clone();
        let failed = |source| ElsewhereError::Spool { place: place.clone(), source };
        let at = UNIX_EPOCH + Duration::from_micros(u64::try_from(modified).unwrap_or_default());
        let settled = self.file.set_modified(at).and_then(|()| self.file.rewind()).and_then(|()| self.file.metadata());
        let state = State::of(&settled.map_err(failed)?);
        let digest = digest.unwrap_or_else(|| Digest::from_sha256(self.hash.finalize().into()));
        let entry = SourceFile { path: self.place.clone(), digest, bytes: self.bytes, modified: modified.max(0), tag };
        Ok(Opened { path: PathBuf::from(self.place), entry, file: self.file, state })
    }
}

impl Opened {
    /// The same file once more, from its beginning. Only one of them may be read at a time.
    pub(crate) fn again(&self) -> Result<Self, SourceError> {
        let mut file = self.file()?;
        file.rewind().map_err(SourceError::open(&self.path))?;
        Ok(Self { path: self.path.clone(), entry: self.entry.clone(), file, state: self.state })
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_as_a_file_and_has_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(&folder.path().join("spool"), "s3://b/x.csv").unwrap();
        spool.write_all(b"s\n1\n").unwrap();
        let opened = spool.open(1_700_000_000_123_456, Some("tag".into()), None).unwrap();
        assert_eq!((opened.entry.path.as_str(), opened.entry.bytes), ("s3://b/x.csv", 4));
        opened.check_steady().unwrap();
        assert_eq!(io::read_to_string(&opened.file).unwrap(), "s\n1\n");
        assert_eq!(std::fs::read_dir(folder.path().join("spool")).unwrap().count(), 0);
    }

    #[test]
    fn more_than_the_limit_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool { limit: 3, ..Spool::new(folder.path(), "s3://b/x").unwrap() };
        let error = spool.write_all(b"1234").unwrap_err();
        assert!(matches!(spool.failed(error), ElsewhereError::TooLarge { bytes: 4, limit: 3, .. }));
    }
}
