//! A folder that holds an exported log, or is going to.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use bedplate_audit::{Archive, Fault, MAX_FILE_BYTES, VerifierKey};

use crate::error::ClientError;

pub struct Folder(PathBuf);

impl Folder {
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub fn with_archive<T>(
        &self,
        key: &VerifierKey,
        f: impl FnOnce(&Archive<'_>) -> Result<T, Fault>,
    ) -> Result<T, ClientError> {
        let read = |path: &str| self.find(path);
        Ok(Archive::open(&read, key).and_then(|archive| f(&archive))?)
    }

    pub fn has(&self, path: &str) -> bool {
        self.0.join(path).is_file()
    }

    /// The file's bytes; none when it is not there. Of a file too long to be of an export only so much that it shows.
    pub fn find(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let file = match fs::File::open(self.0.join(path)) {
            Ok(file) => file,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    pub fn read(&self, path: &str) -> Result<Option<String>, ClientError> {
        let bytes = self.find(path).map_err(self.wrong(path))?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Writes a file so that it survives a power cut.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<(), ClientError> {
        self.write_file(path, bytes).map_err(self.wrong(path))
    }

    fn write_file(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let to = self.0.join(path);
        to.parent().map_or(Ok(()), fs::create_dir_all)?;
        let mut file = fs::File::create(to)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Moves a file here from another folder of the same file system: it is there whole, or as it was before.
    pub fn take(&self, from: &Self, path: &str) -> Result<(), ClientError> {
        self.take_file(from, path).map_err(self.wrong(path))
    }

    fn take_file(&self, from: &Self, path: &str) -> io::Result<()> {
        let to = self.0.join(path);
        let parent = to.parent().unwrap_or(&self.0);
        fs::create_dir_all(parent)?;
        fs::rename(from.0.join(path), &to)?;
        fs::File::open(parent)?.sync_all()
    }

    /// Writes a file aside and puts it in place of the one that is there.
    pub fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), ClientError> {
        let aside = Self(self.0.join(".incoming"));
        aside.write(path, bytes)?;
        self.take(&aside, path)?;
        self.remove(".incoming")
    }

    /// A folder within this one, empty.
    pub fn emptied(&self, name: &str) -> Result<Self, ClientError> {
        self.remove(name)?;
        let within = self.0.join(name);
        fs::create_dir_all(&within).map_err(self.wrong(name))?;
        Ok(Self(within))
    }

    pub fn remove(&self, name: &str) -> Result<(), ClientError> {
        match fs::remove_dir_all(self.0.join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.wrong(name)(error)),
            _ => Ok(()),
        }
    }

    /// Keeps what is in `name` as `kept`, unless something is kept there already.
    pub fn keep(&self, name: &str, kept: &str) {
        if !self.0.join(kept).exists() {
            // The fault that made it worth keeping is told in any case.
            let _ = fs::rename(self.0.join(name), self.0.join(kept));
        }
    }

    fn wrong(&self, path: &str) -> impl FnOnce(io::Error) -> ClientError {
        let path = self.0.join(path);
        move |source| ClientError::Folder { path, source }
    }
}
