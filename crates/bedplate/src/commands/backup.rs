//! `backup`: the platform in one file, whether it runs or not.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bedplate_archive::Manifest;
use bedplate_db::Db;
use bedplate_online::OnlineStore;
use bedplate_types::{Bytes, Clock, ErrorKind, Problem, SystemClock};
use clap::Args;

use super::connect::{asking, client};
use crate::backup::{Source, take, tops};
use crate::home::{Home, unusable};
use crate::online;
use crate::platform::migrations;
use crate::storage::Storage;

#[derive(Debug, Args)]
pub struct Backup {
    /// The archive to write, a gzipped tar; nothing may be there yet. Only you may read it.
    pub file: PathBuf,
    /// Also the keys and the administrator's token. Without them the file gives away no Secret and lets nobody sign in, but
    /// Secrets can be read, and models and the audit log go on being signed, only where the keys are put back from elsewhere.
    #[arg(long)]
    pub with_keys: bool,
    #[command(flatten)]
    pub storage: Storage,
}

pub async fn run(home: &Path, command: &Backup) -> Result<ExitCode, Problem> {
    if fs::symlink_metadata(&command.file).is_ok() {
        let problem = Problem::new(ErrorKind::AlreadyExists, command.file.display().to_string(), "it is there already");
        return Err(problem.with_fix("name another file, or move that one away"));
    }
    let partial = Partial::begin(&command.file)?;
    let left_out = match Home::of(home) {
        Ok(found) => {
            offline(found.place(command.storage.keys.as_deref(), command.storage.data.as_deref())?, command, &partial)?
        }
        // Somebody works in it: a running platform, which takes the backup itself.
        Err(problem) if problem.kind == ErrorKind::Busy => {
            let mut out = partial.open()?;
            let sent = bedplate_client::backup(&client(home)?, command.with_keys, &mut out).await;
            let left_out = sent.map_err(asking("the backup"))?;
            out.flush().map_err(|error| unusable(&partial.path, &error))?;
            left_out
        }
        Err(problem) => return Err(problem),
    };
    let manifest = partial.put_at(&command.file)?;
    let files = manifest.files.len();
    eprintln!("{}: {files} files, {} before compression", command.file.display(), Bytes(manifest.bytes()));
    if let Some(left_out) = left_out {
        eprintln!("note: {left_out}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns what is told of what is not in it.
fn offline(home: Home, command: &Backup, partial: &Partial) -> Result<Option<String>, Problem> {
    if command.storage.database().is_some() || !home.path("bedplate.db").exists() {
        let what = format!("home {}", home.path("").display());
        let problem = Problem::new(
            ErrorKind::Invalid,
            what,
            "its database is not here: PostgreSQL is backed up by its own tools",
        );
        return Err(problem.with_fix("pg_dump the database, and copy the folders of the home and of --data after it"));
    }
    let db = Db::open(&home.path("bedplate.db"), &migrations()).map_err(|error| Problem::of("the database", &error))?;
    let elsewhere = online::elsewhere(|name| home.path(name));
    let online = match &elsewhere {
        Some(_) => None,
        None => Some(OnlineStore::open(home.path("online")).map_err(|error| Problem::of("the online store", &error))?),
    };
    let source = Source { places: home.places().clone(), db, online, with_keys: command.with_keys };
    let (mut out, _) = take(&source, SystemClock.now(), partial.open()?)?;
    out.flush().map_err(|error| unusable(&partial.path, &error))?;
    Ok(elsewhere.as_deref().map(online::left_out))
}

/// The file while it is written; gone with this value unless it became the backup.
struct Partial {
    path: PathBuf,
}

impl Partial {
    fn begin(file: &Path) -> Result<Self, Problem> {
        let mut name = file.as_os_str().to_owned();
        name.push(".partial");
        let path = PathBuf::from(name);
        let _ = fs::remove_file(&path);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options.open(&path).map_err(|error| unusable(&path, &error))?;
        Ok(Self { path })
    }

    fn open(&self) -> Result<BufWriter<File>, Problem> {
        let file = OpenOptions::new().write(true).open(&self.path);
        file.map(BufWriter::new).map_err(|error| unusable(&self.path, &error))
    }

    /// Reads all of it once more: what cannot be restored is no backup.
    fn put_at(self, file: &Path) -> Result<Manifest, Problem> {
        let of = |error: std::io::Error| unusable(file, &error);
        let written = File::open(&self.path).map_err(of)?;
        let manifest = bedplate_archive::check(BufReader::new(&written), &tops());
        let manifest = manifest.map_err(|error| Problem::of("the backup", &error))?;
        written.sync_all().map_err(of)?;
        // Not over a file that came to be there meanwhile.
        fs::hard_link(&self.path, file).map_err(of)?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(of)?;
        Ok(manifest)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
