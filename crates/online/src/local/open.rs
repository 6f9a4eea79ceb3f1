//! Opening and creating the folder: a lock of our own, and `store/`, which appears only when it is whole.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use fjall::config::PinningPolicy;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use crate::OnlineError;
use crate::layout::{LAYOUT, OLDEST};

const MIB: u64 = 1 << 20;
/// Memory is bounded by the cache and a few memtables, whatever the number of views: they share one keyspace. Rows that are
/// asked for often are in memory as rows, and what is read beyond them is in the system's cache: with 16 MiB it was no faster.
const CACHE: u64 = 4 * MIB;
const MEMTABLE: u64 = 8 * MIB;
const META_MEMTABLE: u64 = MIB;
/// The least fjall accepts; it bounds what is replayed when opening.
const JOURNALS: u64 = 64 * MIB;
const OPEN_FILES: usize = 128;

const LAYOUT_KEY: &str = "layout";
const WHOLE: &str = "store";
const UNFINISHED: &str = "store.creating";
/// The file by which fjall knows a database; without it it would begin a new one over the old files.
const FJALL_VERSION: &str = "version";

pub(crate) struct Opened {
    pub db: Database,
    pub rows: Keyspace,
    pub meta: Keyspace,
    pub lock: File,
}

pub(crate) fn open(dir: &Path) -> Result<Opened, OnlineError> {
    fs::create_dir_all(dir).map_err(|source| folder("create", dir, source))?;
    let lock = lock(dir)?;
    if !dir.join(WHOLE).exists() {
        create(dir)?;
    }
    if !dir.join(WHOLE).join(FJALL_VERSION).is_file() {
        return Err(corrupt(dir, format!("{WHOLE}/{FJALL_VERSION} is missing")));
    }
    let (db, rows, meta) = database(dir, WHOLE)?;
    check_layout(dir, &meta)?;
    Ok(Opened { db, rows, meta, lock })
}

fn lock(dir: &Path) -> Result<File, OnlineError> {
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|source| folder("write to", dir, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OnlineError::Locked { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(folder("lock", dir, source)),
    }
}

/// Creates the store aside and renames it, so that a process killed halfway leaves nothing that looks like one.
fn create(dir: &Path) -> Result<(), OnlineError> {
    let unfinished = dir.join(UNFINISHED);
    match fs::remove_dir_all(&unfinished) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(folder("clear", &unfinished, source)),
        _ => {}
    }
    {
        let (db, _rows, meta) = database(dir, UNFINISHED)?;
        let written = meta.insert(LAYOUT_KEY, [LAYOUT]).and_then(|()| db.persist(PersistMode::SyncAll));
        written.map_err(|error| failed(dir, error))?;
    }
    fs::rename(&unfinished, dir.join(WHOLE)).map_err(|source| folder("write to", dir, source))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|source| folder("sync", dir, source))
}

fn database(dir: &Path, name: &str) -> Result<(Database, Keyspace, Keyspace), OnlineError> {
    let opened = || -> fjall::Result<_> {
        let db = Database::builder(dir.join(name))
            .cache_size(CACHE)
            .max_journaling_size(JOURNALS)
            .max_cached_files(Some(OPEN_FILES))
            .worker_threads(1)
            .open()?;
        // Of a table of 64 MiB both take megabytes: read for one row, they would push everything else out of the cache.
        let pinned = |options: KeyspaceCreateOptions| {
            let all = PinningPolicy::all(true);
            options.index_block_pinning_policy(all.clone()).filter_block_pinning_policy(all)
        };
        let options = || pinned(KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE));
        let rows = db.keyspace("rows", options)?;
        let meta = db.keyspace("meta", || KeyspaceCreateOptions::default().max_memtable_size(META_MEMTABLE))?;
        Ok((db, rows, meta))
    };
    opened().map_err(|error| failed(dir, error))
}

pub(crate) fn check_layout(dir: &Path, meta: &Keyspace) -> Result<(), OnlineError> {
    let found = meta.get(LAYOUT_KEY).map_err(|error| failed(dir, error))?;
    match found.as_deref() {
        Some([LAYOUT]) => Ok(()),
        // What is written from now on is not for an older bedplate.
        Some([OLDEST..LAYOUT]) => meta.insert(LAYOUT_KEY, [LAYOUT]).map_err(|error| failed(dir, error)),
        Some(other) => {
            Err(OnlineError::NewerLayout { dir: dir.to_owned(), found: format!("{other:?}"), known: LAYOUT })
        }
        None => Err(corrupt(dir, "it does not say its layout".to_owned())),
    }
}

/// Which of our errors an engine's error on opening is: what the folder refuses, or what is wrong with its content.
fn failed(dir: &Path, error: fjall::Error) -> OnlineError {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, StorageFull};
    match error {
        fjall::Error::Locked => OnlineError::Locked { dir: dir.to_owned() },
        fjall::Error::Io(source) if matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem | StorageFull) => {
            folder("write to", dir, source)
        }
        other => corrupt(dir, other.to_string()),
    }
}

fn folder(doing: &'static str, dir: &Path, source: io::Error) -> OnlineError {
    OnlineError::Folder { doing, dir: dir.to_owned(), source }
}

fn corrupt(dir: &Path, why: String) -> OnlineError {
    OnlineError::Corrupt { dir: dir.to_owned(), why }
}
