//! Writing an object piece by piece: hashed on the way, synced, then renamed to its digest.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use bedplate_types::Digest;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::{ObjectError, Objects};

/// An object that is being written. Dropped without [`finish`](Self::finish), it leaves nothing.
#[derive(Debug)]
pub struct ObjectWriter {
    objects: Objects,
    file: NamedTempFile,
    hash: Sha256,
}

impl ObjectWriter {
    pub(crate) fn start(objects: Objects) -> Result<Self, ObjectError> {
        let dir = objects.unfinished();
        let file = NamedTempFile::new_in(&dir).map_err(ObjectError::io("make a file in", &dir))?;
        Ok(Self { objects, file, hash: Sha256::new() })
    }

    /// Makes the object durable and visible under its digest.
    pub fn finish(self) -> Result<Digest, ObjectError> {
        let digest = Digest::from_sha256(self.hash.finalize().into());
        let path = self.objects.path(&digest);
        let dir = path.parent().expect("an object's path has a folder");
        self.file.as_file().sync_all().map_err(ObjectError::io("sync", self.file.path()))?;
        make_dir(dir)?;
        self.file.persist(&path).map_err(|error| ObjectError::io("rename to", &path)(error.error))?;
        sync_dir(dir)?;
        Ok(digest)
    }
}

impl Write for ObjectWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Makes `dir` and the folders above it that are missing, each durable in its parent.
fn make_dir(dir: &Path) -> Result<(), ObjectError> {
    if dir.is_dir() {
        return Ok(());
    }
    let Some(parent) = dir.parent() else { return Ok(()) };
    make_dir(parent)?;
    match fs::create_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(ObjectError::io("make the folder", dir)(error))
        }
        _ => sync_dir(parent),
    }
}

/// A rename is durable once the folder it happened in is synced.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), ObjectError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(ObjectError::io("sync", dir))
}
