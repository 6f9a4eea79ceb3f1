//! The files that hold the bytes: named after random bits, written once, never changed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bedplate_types::Timestamp;
use tempfile::NamedTempFile;

use crate::BucketError;

/// What a file is called before it is whole.
const UNFINISHED: &str = ".part";

/// A folder of files, on one file system. Cheap to clone; safe to use from several threads and processes.
#[derive(Clone, Debug)]
pub struct Blobs {
    dir: PathBuf,
}

/// A file's name, of 16 random bytes.
#[must_use]
pub fn name(random: [u8; 16]) -> String {
    hex::encode(random)
}

impl Blobs {
    /// Opens the store in `dir`, making the folder when it is not there.
    ///
    /// # Errors
    /// [`BucketError::Io`].
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, BucketError> {
        let blobs = Self { dir: dir.into() };
        let unfinished = blobs.unfinished();
        fs::create_dir_all(&unfinished).map_err(BucketError::io("make the folder", &unfinished))?;
        sync(&blobs.dir)?;
        Ok(blobs)
    }

    /// Starts a file; it is there once [`BlobWriter::finish`] has returned, and leaves nothing when it is dropped before.
    ///
    /// # Errors
    /// [`BucketError::Io`], [`BucketError::Full`].
    pub fn writer(&self, name: &str) -> Result<BlobWriter, BucketError> {
        let (dir, path) = (self.unfinished(), self.path(name));
        let file = tempfile::Builder::new().suffix(UNFINISHED).tempfile_in(&dir);
        Ok(BlobWriter { file: file.map_err(BucketError::io("make a file in", &dir))?, path, size: 0 })
    }

    /// Gives the bytes of one file another name, under which they stay when the first one goes.
    ///
    /// # Errors
    /// [`BucketError::Io`].
    pub fn link(&self, from: &str, to: &str) -> Result<(), BucketError> {
        let path = self.path(to);
        let folder = make_parent(&path)?;
        fs::hard_link(self.path(from), &path).map_err(BucketError::io("give a second name to", &self.path(from)))?;
        sync(&folder)
    }

    /// # Errors
    /// [`BucketError::Io`], also when there is none of that name.
    pub fn read(&self, name: &str) -> Result<File, BucketError> {
        let path = self.path(name);
        File::open(&path).map_err(BucketError::io("open", &path))
    }

    /// It is well when there is none.
    pub(crate) fn remove(&self, name: &str) -> Result<(), BucketError> {
        remove(&self.path(name))
    }

    /// Names of files that nothing happened to since `before`; without those that are not whole.
    pub(crate) fn old(&self, before: Timestamp) -> Result<Vec<String>, BucketError> {
        let mut names = Vec::new();
        for folder in listed(&self.dir)? {
            if folder.is_dir() && folder != self.unfinished() {
                names.extend(listed(&folder)?.into_iter().filter(|path| is_old(path, before)).filter_map(file_name));
            }
        }
        Ok(names)
    }

    /// Removes what writers left behind when their process was killed; returns how many files went.
    pub(crate) fn sweep_unfinished(&self, before: Timestamp) -> Result<usize, BucketError> {
        let left = listed(&self.unfinished())?.into_iter().filter(|path| is_old(path, before));
        left.map(|path| remove(&path)).try_fold(0, |swept, removed| removed.map(|()| swept + 1))
    }

    fn unfinished(&self) -> PathBuf {
        self.dir.join("unfinished")
    }

    fn path(&self, name: &str) -> PathBuf {
        debug_assert!(name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
        self.dir.join(name.get(..2).unwrap_or("__")).join(name)
    }
}

/// A file that is being written.
#[derive(Debug)]
pub struct BlobWriter {
    file: NamedTempFile,
    path: PathBuf,
    size: u64,
}

impl BlobWriter {
    /// # Errors
    /// [`BucketError::Full`], [`BucketError::Io`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), BucketError> {
        self.file.write_all(bytes).map_err(BucketError::io("write to", self.file.path()))?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Makes the file durable under its name, and returns how many bytes it has.
    ///
    /// # Errors
    /// [`BucketError::Full`], [`BucketError::Io`].
    pub fn finish(self) -> Result<u64, BucketError> {
        self.file.as_file().sync_all().map_err(BucketError::io("sync", self.file.path()))?;
        let folder = make_parent(&self.path)?;
        let persisted = self.file.persist(&self.path).map_err(|error| error.error);
        persisted.map_err(BucketError::io("rename to", &self.path))?;
        sync(&folder)?;
        Ok(self.size)
    }
}

fn make_parent(path: &Path) -> Result<PathBuf, BucketError> {
    let folder = path.parent().unwrap_or(path).to_owned();
    match fs::create_dir(&folder) {
        Ok(()) => sync(folder.parent().unwrap_or(&folder))?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(BucketError::io("make the folder", &folder)(error)),
    }
    Ok(folder)
}

fn sync(dir: &Path) -> Result<(), BucketError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(BucketError::io("sync", dir))
}

fn remove(path: &Path) -> Result<(), BucketError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BucketError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

fn listed(dir: &Path) -> Result<Vec<PathBuf>, BucketError> {
    let of = || BucketError::io("list", dir);
    fs::read_dir(dir).map_err(of())?.map(|entry| entry.map(|entry| entry.path()).map_err(of())).collect()
}

fn file_name(path: PathBuf) -> Option<String> {
    path.file_name()?.to_str().filter(|name| name.len() == 32).map(str::to_owned)
}

/// By its last change of any sort: to be given a second name is one. One whose time cannot be told is taken to be new.
fn is_old(path: &Path, before: Timestamp) -> bool {
    let changed = fs::metadata(path).map(|about| about.ctime().saturating_add(1).saturating_mul(1_000_000));
    changed.is_ok_and(|micros| micros < before.micros())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn store() -> (tempfile::TempDir, Blobs) {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().join("buckets")).unwrap();
        (folder, blobs)
    }

    fn written(blobs: &Blobs, name: &str, bytes: &[u8]) -> u64 {
        let mut writer = blobs.writer(name).unwrap();
        writer.write(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn text(blobs: &Blobs, name: &str) -> String {
        let mut text = String::new();
        blobs.read(name).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_file_is_there_when_it_is_finished_and_leaves_nothing_when_it_is_not() {
        let (_folder, blobs) = store();
        let (one, two) = (name([1; 16]), name([2; 16]));
        let mut writer = blobs.writer(&one).unwrap();
        writer.write(b"half").unwrap();
        assert!(blobs.read(&one).is_err());
        drop(writer);
        assert!(blobs.read(&one).is_err());
        assert_eq!(listed(&blobs.unfinished()).unwrap().len(), 0);
        assert_eq!(written(&blobs, &two, b"whole"), 5);
        assert_eq!(text(&blobs, &two), "whole");
    }

    #[test]
    fn a_second_name_outlives_the_first() {
        let (_folder, blobs) = store();
        let (one, two) = (name([1; 16]), name([2; 16]));
        written(&blobs, &one, b"bytes");
        blobs.link(&one, &two).unwrap();
        blobs.remove(&one).unwrap();
        blobs.remove(&one).unwrap();
        assert_eq!(text(&blobs, &two), "bytes");
    }

    #[test]
    fn what_a_killed_writer_left_is_swept_when_it_is_old() {
        let (_folder, blobs) = store();
        let (_, kept) = blobs.writer(&name([1; 16])).unwrap().file.keep().unwrap();
        assert_eq!(blobs.sweep_unfinished(Timestamp::from_micros(1)).unwrap(), 0, "it may be written to still");
        assert_eq!(blobs.sweep_unfinished(Timestamp::from_micros(i64::MAX)).unwrap(), 1);
        assert!(!kept.exists());
        written(&blobs, &name([3; 16]), b"x");
        assert_eq!(blobs.old(Timestamp::from_micros(i64::MAX)).unwrap(), [name([3; 16])]);
        assert!(blobs.old(Timestamp::from_micros(1)).unwrap().is_empty());
    }
}
