//! Taking a backup.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use bedplate_archive::{About, Manifest, Writer};
use bedplate_db::Db;
use bedplate_online::OnlineStore;
use bedplate_types::{Problem, Timestamp};

use super::{CREDENTIALS, DATABASE, FOLDERS, KEYS, ONLINE, PRICES};
use crate::home::{LAYOUT, Places, unusable};

/// What is copied meanwhile, in the home; thrown away at the end, or by the next backup.
const WORK: &str = "backup";
const LOG: &str = "_delta_log";

/// What a backup is taken of.
#[derive(Clone)]
pub struct Source {
    pub places: Places,
    pub db: Db,
    /// `None` where its rows are elsewhere.
    pub online: Option<OnlineStore>,
    pub with_keys: bool,
}

/// Writes the archive to `out`, while the platform goes on. One at a time.
pub fn take<W: Write>(source: &Source, now: Timestamp, out: W) -> Result<(W, Manifest), Problem> {
    let work = Work::begin(&source.places)?;
    let about = About {
        made_at: now,
        made_by: concat!("bedplate ", env!("CARGO_PKG_VERSION")).into(),
        layout: LAYOUT,
        with_keys: source.with_keys,
    };
    let mut archive = Writer::new(out, about);
    let database = work.0.join(DATABASE);
    source.db.backup(&database).map_err(|error| Problem::of("the copy of the database", &error))?;
    add_file(&mut archive, DATABASE, &database)?;
    for folder in FOLDERS {
        add_folder(&mut archive, folder, &source.places.path(folder))?;
    }
    if let Some(online) = &source.online {
        let copy = work.0.join(ONLINE);
        copy_online(online, &copy)?;
        add_file(&mut archive, ONLINE, &copy)?;
    }
    add_file(&mut archive, PRICES, &source.places.path(PRICES))?;
    if source.with_keys {
        add_folder(&mut archive, KEYS, &source.places.path(KEYS))?;
        add_file(&mut archive, CREDENTIALS, &source.places.path(CREDENTIALS))?;
    }
    archive.finish().map_err(|error| Problem::of("the backup", &error))
}

/// A folder for what has to be copied first; gone with this value.
struct Work(PathBuf);

impl Work {
    fn begin(places: &Places) -> Result<Self, Problem> {
        let path = places.path(WORK);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).map_err(|error| unusable(&path, &error))?;
        Ok(Self(path))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn copy_online(online: &OnlineStore, to: &Path) -> Result<(), Problem> {
    let file = File::create(to).map_err(|error| unusable(to, &error))?;
    let mut out = BufWriter::new(file);
    online.copy(&mut out).map_err(|error| Problem::of("the copy of the online store", &error))?;
    out.flush().map_err(|error| unusable(to, &error))
}

/// A file that is gone when it is its turn was a temporary one.
fn add_file<W: Write>(archive: &mut Writer<W>, name: &str, path: &Path) -> Result<(), Problem> {
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    match opened {
        Ok((about, file)) if about.is_file() => {
            archive.add(name, about.len(), file).map_err(|error| Problem::of("the backup", &error))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unusable(path, &error)),
    }
}

/// Everything below the folder; a table's log before its data. Links are left out.
fn add_folder<W: Write>(archive: &mut Writer<W>, name: &str, path: &Path) -> Result<(), Problem> {
    if path.join(LOG).is_dir() {
        add_folder(archive, &format!("{name}/{LOG}"), &path.join(LOG))?;
    }
    for (entry, kind) in entries(path)? {
        let (name, path) = (format!("{name}/{entry}"), path.join(&entry));
        if kind.is_file() && !is_temporary(&entry) {
            add_file(archive, &name, &path)?;
        } else if kind.is_dir() && entry != LOG {
            add_folder(archive, &name, &path)?;
        }
    }
    Ok(())
}

fn entries(path: &Path) -> Result<Vec<(String, fs::FileType)>, Problem> {
    let read = || -> std::io::Result<Vec<_>> {
        let entries = fs::read_dir(path)?.map(|entry| {
            let entry = entry?;
            Ok((entry.file_name().to_string_lossy().into_owned(), entry.file_type()?))
        });
        let mut entries: Vec<_> = entries.collect::<std::io::Result<_>>()?;
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(entries)
    };
    match read() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(|error| unusable(path, &error)),
    }
}

/// What is being written aside, to be renamed.
fn is_temporary(name: &str) -> bool {
    [".part", ".new", ".partial", ".tmp"].iter().any(|end| name.ends_with(end))
}
