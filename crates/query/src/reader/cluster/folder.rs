//! An executor's folder, which outlives no executor for long: one that was killed left rows in it.

use std::fs::{self, DirEntry, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::{Builder, TempDir};

const PREFIX: &str = "bedplate-executor-";
/// Locked as long as its executor lives.
const LOCK: &str = "lock";
const WORK: &str = "work";

/// Removed when it is dropped; and what is left of it when it is not, when another is made.
pub(super) struct Folder {
    folder: TempDir,
    /// Released last: who has it may remove the folder.
    _lock: File,
}

impl Folder {
    /// Makes one among the system's temporary files, and removes those of executors of the same user that were killed.
    ///
    /// # Errors
    /// When none can be made. One that cannot be removed is left.
    pub(super) fn new() -> io::Result<Self> {
        Self::new_in(&tempfile::env::temp_dir())
    }

    fn new_in(all: &Path) -> io::Result<Self> {
        loop {
            let folder = Builder::new().prefix(PREFIX).tempdir_in(all)?;
            fs::create_dir(folder.path().join(WORK))?;
            let lock = File::create_new(folder.path().join(LOCK))?;
            // Another that looks for what is left may have been here first, and removes it or has done so.
            if lock.try_lock().is_ok() && folder.path().join(LOCK).exists() {
                let user = folder.path().metadata()?.uid();
                fs::read_dir(all).into_iter().flatten().flatten().for_each(|entry| clear(&entry, user));
                return Ok(Self { folder, _lock: lock });
            }
        }
    }

    /// Where its results and what spills are.
    pub(super) fn work(&self) -> PathBuf {
        self.folder.path().join(WORK)
    }
}

/// Removes the folder of an executor that is no more.
fn clear(entry: &DirEntry, user: u32) {
    // Of another user it may be anything, also something that never answers.
    let is_ours = |found: Metadata| found.is_dir() && found.uid() == user;
    let is_named_so = entry.file_name().to_string_lossy().starts_with(PREFIX);
    if !is_named_so || !entry.metadata().is_ok_and(is_ours) {
        return;
    }
    // One without a lock is being made.
    let Ok(lock) = File::options().write(true).open(entry.path().join(LOCK)) else { return };
    if lock.try_lock().is_ok()
        && let Err(error) = remove(&entry.path())
    {
        tracing::warn!(folder = %entry.path().display(), %error, "what a killed executor left is still there");
    }
}

/// The lock goes last: what is left when this is killed is found again.
fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder.join(WORK)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::remove_dir_all(folder),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn left(all: &Path, name: &str, lock: bool) -> PathBuf {
        let folder = all.join(name);
        fs::create_dir_all(folder.join(WORK)).unwrap();
        fs::write(folder.join(WORK).join("rows"), "rows").unwrap();
        if lock {
            fs::write(folder.join(LOCK), "").unwrap();
        }
        folder
    }

    #[test]
    fn what_a_killed_one_left_is_removed_and_nothing_else() {
        let all = tempfile::tempdir().unwrap();
        let living = Folder::new_in(all.path()).unwrap();
        fs::write(living.work().join("rows"), "rows").unwrap();
        let killed = left(all.path(), "bedplate-executor-killed", true);
        let begun = left(all.path(), "bedplate-executor-begun", true);
        fs::remove_dir_all(begun.join(WORK)).unwrap();
        let (other, new) = (left(all.path(), "other", true), left(all.path(), "bedplate-executor-new", false));
        let elsewhere = tempfile::tempdir().unwrap();
        let target = left(elsewhere.path(), "target", true);
        symlink(&target, all.path().join("bedplate-executor-link")).unwrap();

        let another = Folder::new_in(all.path()).unwrap();
        assert!(!killed.exists() && !begun.exists());
        for kept in [living.work().join("rows"), other.join(WORK).join("rows"), new.join(WORK).join("rows")] {
            assert!(kept.exists(), "{}", kept.display());
        }
        assert!(target.join(WORK).join("rows").exists() && another.work().is_dir());
    }

    #[test]
    fn what_is_another_users_is_left() {
        let all = tempfile::tempdir().unwrap();
        let folder = left(all.path(), "bedplate-executor-killed", true);
        let entry = || fs::read_dir(all.path()).unwrap().next().unwrap().unwrap();
        let user = folder.metadata().unwrap().uid();
        clear(&entry(), user + 1);
        assert!(folder.exists());
        clear(&entry(), user);
        assert!(!folder.exists());
    }

    #[test]
    fn it_goes_with_its_executor() {
        let all = tempfile::tempdir().unwrap();
        drop(Folder::new_in(all.path()).unwrap());
        assert_eq!(fs::read_dir(all.path()).unwrap().count(), 0);
    }
}
