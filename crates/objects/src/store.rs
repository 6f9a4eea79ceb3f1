//! The store: one folder, one file an object, found by digest.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bedplate_types::Digest;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::ObjectError;
use crate::writer::{ObjectWriter, sync_dir};

/// A content-addressed store in a folder. Cheap to clone; safe to use from several threads and processes.
#[derive(Clone, Debug)]
pub struct Objects {
    dir: PathBuf,
}

impl Objects {
    /// Opens the store in `dir`, making the folder when it is not there.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, ObjectError> {
        let objects = Self { dir: dir.into() };
        let unfinished = objects.unfinished();
        fs::create_dir_all(&unfinished).map_err(ObjectError::io("make the folder", &unfinished))?;
        sync_dir(&objects.dir)?;
        Ok(objects)
    }

    /// Stores the bytes durably and returns their digest. Storing the same bytes again changes nothing.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, ObjectError> {
        let mut writer = self.writer()?;
        writer.write_all(bytes).map_err(ObjectError::io("write to", &self.dir))?;
        writer.finish()
    }

    /// Stores a copy of the file, read once in small pieces.
    pub fn put_file(&self, path: &Path) -> Result<Digest, ObjectError> {
        let mut file = File::open(path).map_err(ObjectError::io("open", path))?;
        let mut writer = self.writer()?;
        io::copy(&mut file, &mut writer).map_err(ObjectError::io("copy", path))?;
        writer.finish()
    }

    /// Starts an object whose bytes come piece by piece; it exists once [`ObjectWriter::finish`] has returned.
    pub fn writer(&self) -> Result<ObjectWriter, ObjectError> {
        ObjectWriter::start(self.clone())
    }

    /// The object's bytes, checked against the digest.
    pub fn get(&self, digest: &Digest) -> Result<Bytes, ObjectError> {
        let path = self.path(digest);
        let bytes = fs::read(&path).map_err(|error| self.read_error(digest, &path, error))?;
        let found = digest_of(&bytes);
        if found != *digest {
            return Err(ObjectError::Corrupt { digest: *digest, found, path });
        }
        Ok(bytes.into())
    }

    /// Where the object is or would be: for readers that need a file. The bytes are not checked.
    #[must_use]
    pub fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.dir.join("sha256").join(&hex[..2]).join(&hex)
    }

    #[must_use]
    pub fn contains(&self, digest: &Digest) -> bool {
        self.path(digest).is_file()
    }

    /// Removes what writers left behind when their process was killed; returns how many files went.
    /// Only for the one process that owns the store, before anything is written.
    pub fn sweep_unfinished(&self) -> Result<usize, ObjectError> {
        let dir = self.unfinished();
        let listing = fs::read_dir(&dir).map_err(ObjectError::io("list", &dir))?;
        let mut removed = 0;
        for entry in listing {
            let path = entry.map_err(ObjectError::io("list", &dir))?.path();
            fs::remove_file(&path).map_err(ObjectError::io("remove", &path))?;
            removed += 1;
        }
        Ok(removed)
    }

    /// On the same file system as the objects, so that a rename is atomic.
    pub(crate) fn unfinished(&self) -> PathBuf {
        self.dir.join("unfinished")
    }

    fn read_error(&self, digest: &Digest, path: &Path, error: io::Error) -> ObjectError {
        if error.kind() == io::ErrorKind::NotFound {
            return ObjectError::NotFound { digest: *digest, dir: self.dir.clone() };
        }
        ObjectError::io("read", path)(error)
    }
}

/// The digest of bytes in memory.
#[must_use]
pub fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_sha256(Sha256::digest(bytes).into())
}

/// The digest of a file's bytes, read in small pieces.
pub fn digest_file(path: &Path) -> Result<Digest, ObjectError> {
    let mut file = File::open(path).map_err(ObjectError::io("open", path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(ObjectError::io("read", path))? {
            0 => return Ok(Digest::from_sha256(hash.finalize().into())),
            read => hash.update(&buffer[..read]),
        }
    }
}
