//! The home folder: one process, one folder to back up. What replicas share may lie elsewhere: see [`Home::place`].

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use bedplate_types::{ErrorKind, Problem};

use crate::keys;

/// The layout this binary writes. A folder with a higher one was written by a newer bedplate.
pub const LAYOUT: u32 = 1;
/// What a data folder holds.
const DATA: [&str; 5] = ["objects", "lake", "runs", "models", "buckets"];

/// A home folder that this process alone works in.
#[derive(Debug)]
pub struct Home {
    places: Places,
    /// Held for as long as the process lives; the kernel lets go of it however the process ends.
    _lock: fs::File,
}

impl Home {
    /// Opens a home that is there and takes it for this process.
    pub fn of(root: &Path) -> Result<Self, Problem> {
        if root.join("layout").exists() {
            return Self::open(root);
        }
        let what = format!("home {}", root.display());
        Err(Problem::new(ErrorKind::NotFound, what, "no platform keeps anything there").with_fix("name it: --home DIR"))
    }

    /// Opens or creates the folder and takes it for this process.
    pub fn open(root: &Path) -> Result<Self, Problem> {
        if root.is_dir() {
            check_layout(root)?;
        }
        for folder in ["", "objects", "lake", "online", "runs", "models", "buckets", "keys"] {
            let path = root.join(folder);
            fs::create_dir_all(&path).map_err(|error| unusable(&path, &error))?;
        }
        let root = root.canonicalize().map_err(|error| unusable(root, &error))?;
        fs::set_permissions(&root, fs::Permissions::from_mode(0o700)).map_err(|error| unusable(&root, &error))?;
        let lock = lock(&root)?;
        write_layout(&root)?;
        Ok(Self { places: Places { root, keys: None, data: None }, _lock: lock })
    }

    /// Has keys and credentials in one folder, and tables, objects, buckets, models and runs in another, where they are given.
    pub fn place(mut self, keys: Option<&Path>, data: Option<&Path>) -> Result<Self, Problem> {
        let make = |folder: &Path| -> Result<PathBuf, Problem> {
            let mut builder = fs::DirBuilder::new();
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.recursive(true).create(folder).map_err(|error| unusable(folder, &error))?;
            folder.canonicalize().map_err(|error| unusable(folder, &error))
        };
        self.places.keys = keys.map(make).transpose()?;
        self.places.data = data.map(make).transpose()?;
        for folder in DATA.iter().filter(|_| data.is_some()) {
            make(&self.path(folder))?;
        }
        Ok(self)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.places.path(name)
    }

    pub fn places(&self) -> &Places {
        &self.places
    }

    /// The file's bytes, made by `make` the first time and readable by the owner only. Of several processes that make it at
    /// the same time all get the same.
    pub fn secret(&self, name: &str, make: impl FnOnce() -> Result<Vec<u8>, Problem>) -> Result<Vec<u8>, Problem> {
        match self.known_secret(name)? {
            Some(bytes) => Ok(bytes),
            None => self.new_secret(name, make()?),
        }
    }

    /// The file's bytes, if it is there.
    pub fn known_secret(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        let path = self.path(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unusable(&path, &error)),
        }
    }

    /// Keeps the bytes in a file that is not there yet; returns what it holds, which another process may have put there.
    pub fn new_secret(&self, name: &str, bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
        let path = self.path(name);
        let of = |error: std::io::Error| unusable(&path, &error);
        let mine = aside(&path)?;
        write_private(&mine, &bytes)?;
        let kept = match fs::hard_link(&mine, &path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => fs::read(&path).map_err(of),
            other => other.map(|()| bytes).map_err(of),
        };
        let _ = fs::remove_file(&mine);
        kept
    }
}

/// Where the parts of a home are.
#[derive(Clone, Debug)]
pub struct Places {
    root: PathBuf,
    keys: Option<PathBuf>,
    data: Option<PathBuf>,
}

impl Places {
    pub fn path(&self, name: &str) -> PathBuf {
        let first = name.split('/').next().unwrap_or_default();
        match (first, &self.keys, &self.data) {
            ("keys", Some(keys), _) => keys.join(name.trim_start_matches("keys").trim_start_matches('/')),
            ("credentials", Some(keys), _) => keys.join(name),
            (first, _, Some(data)) if DATA.contains(&first) => data.join(name),
            _ => self.root.join(name),
        }
    }
}

/// Whole or not at all, readable by the owner only.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let of = |error: std::io::Error| unusable(path, &error);
    let temporary = aside(path)?;
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary).map_err(of)?;
    file.write_all(bytes).map_err(of)?;
    file.sync_all().map_err(of)?;
    fs::rename(&temporary, path).map_err(of)
}

/// A name beside it that no other process takes: in a shared folder two of them may even have the same id.
fn aside(path: &Path) -> Result<PathBuf, Problem> {
    Ok(path.with_extension(format!("{}.part", hex::encode(keys::random::<8>()?))))
}

fn lock(root: &Path) -> Result<fs::File, Problem> {
    let path = root.join("lock");
    let file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = file.map_err(|error| unusable(&path, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Err(in_use(root, &path)),
        Err(fs::TryLockError::Error(error)) => return Err(unusable(&path, &error)),
    }
    file.set_len(0).map_err(|error| unusable(&path, &error))?;
    write!(file, "{}", std::process::id()).map_err(|error| unusable(&path, &error))?;
    Ok(file)
}

fn in_use(root: &Path, lock: &Path) -> Problem {
    let holder = fs::read_to_string(lock).unwrap_or_default();
    let holder = if holder.is_empty() { "another process".to_owned() } else { format!("process {holder}") };
    Problem::new(ErrorKind::Busy, format!("home {}", root.display()), format!("{holder} is working in it")).with_fix(
        format!(
            "talk to the running platform (bedplate get datasets --home {0}), stop it, or use another --home",
            root.display()
        ),
    )
}

pub fn write_layout(root: &Path) -> Result<(), Problem> {
    let path = root.join("layout");
    if path.exists() { Ok(()) } else { write_private(&path, LAYOUT.to_string().as_bytes()) }
}

fn check_layout(root: &Path) -> Result<(), Problem> {
    let Ok(text) = fs::read_to_string(root.join("layout")) else { return Ok(()) };
    match text.trim().parse::<u32>() {
        Ok(found) if found <= LAYOUT => Ok(()),
        Ok(found) => Err(newer(root, found)),
        Err(_) => {
            let why = format!("its layout file says {:?} and should say {LAYOUT}", text.trim());
            Err(Problem::new(ErrorKind::Corrupt, format!("home {}", root.display()), why)
                .with_fix("restore the folder from a backup, or use another --home"))
        }
    }
}

pub fn newer(root: &Path, found: u32) -> Problem {
    let why = format!("it was written by a newer bedplate (layout {found}, this one knows {LAYOUT})");
    Problem::new(ErrorKind::Invalid, format!("home {}", root.display()), why)
        .with_fix("run that newer bedplate, or use another --home; nothing was changed")
}

pub fn unusable(path: &Path, error: &std::io::Error) -> Problem {
    let fix = match error.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            "choose a folder you may write to: --home DIR or BEDPLATE_HOME"
        }
        std::io::ErrorKind::NotADirectory | std::io::ErrorKind::AlreadyExists => {
            "a file is in the way: move it, or choose another folder with --home DIR or BEDPLATE_HOME"
        }
        std::io::ErrorKind::StorageFull => "free some space, then run it again; nothing was lost",
        _ => "look at the path and run it again",
    };
    Problem::new(ErrorKind::Invalid, path.display().to_string(), error.to_string()).with_fix(fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Home::open(folder.path()).unwrap();
        let second = Home::open(folder.path()).unwrap_err();
        assert_eq!(second.kind, ErrorKind::Busy);
        assert!(second.why.contains(&std::process::id().to_string()), "{second}");
        drop(first);
        Home::open(folder.path()).unwrap();
    }

    #[test]
    fn a_newer_layout_is_refused_and_untouched() {
        let folder = tempfile::tempdir().unwrap();
        drop(Home::open(folder.path()).unwrap());
        fs::write(folder.path().join("layout"), "99").unwrap();
        assert!(Home::open(folder.path()).unwrap_err().why.contains("newer"));
        assert_eq!(fs::read_to_string(folder.path().join("layout")).unwrap(), "99");
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let problem = Home::open(&path).unwrap_err();
        assert!(problem.what.contains("file") && problem.fix.is_some(), "{problem}");
    }
}
