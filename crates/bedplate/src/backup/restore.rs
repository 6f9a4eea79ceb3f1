//! Making a home of a backup: aside, and renamed when all of it is there and fits together.

use std::fs::{self, File};
use std::io::{BufReader, ErrorKind as Io};
use std::path::{Path, PathBuf};

use bedplate_archive::Manifest;
use bedplate_db::{Db, Migration};
use bedplate_online::OnlineStore;
use bedplate_types::{ErrorKind, Problem};

use super::{DATABASE, ONLINE, tops};
use crate::home::{LAYOUT, newer, unusable, write_layout};

/// Makes `home`, which must be missing or empty, of the backup `file`.
pub fn restore(file: &Path, home: &Path, migrations: &[Migration]) -> Result<Manifest, Problem> {
    refuse_used(home)?;
    let archive = File::open(file).map_err(|error| unusable(file, &error))?;
    let aside = Aside::begin(home)?;
    let manifest = bedplate_archive::unpack(BufReader::new(archive), &tops(), &aside.0);
    let manifest = manifest.map_err(|error| Problem::of(format!("the backup {}", file.display()), &error))?;
    if manifest.about.layout > LAYOUT {
        return Err(newer(home, manifest.about.layout));
    }
    put_together(&aside.0, file, migrations)?;
    aside.put_at(home)?;
    Ok(manifest)
}

fn refuse_used(home: &Path) -> Result<(), Problem> {
    match fs::read_dir(home).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let why = "it is not empty: a backup is restored into a home that nothing is in";
            Err(Problem::new(ErrorKind::AlreadyExists, format!("home {}", home.display()), why)
                .with_fix("name another --home, or move that one away"))
        }
        Err(error) if error.kind() == Io::NotFound => Ok(()),
        Err(error) => Err(unusable(home, &error)),
    }
}

/// Database and online store are made of their copies, which checks them.
fn put_together(home: &Path, file: &Path, migrations: &[Migration]) -> Result<(), Problem> {
    let of = |path: &Path, error: &std::io::Error| unusable(path, error);
    let (database, copy) = (home.join(DATABASE), home.join("bedplate.db.copy"));
    fs::rename(&database, &copy).map_err(|_| {
        let why = "there is no database in it";
        Problem::new(ErrorKind::Corrupt, format!("the backup {}", file.display()), why)
    })?;
    Db::restore(&copy, &database, migrations).map_err(|error| Problem::of("the database in the backup", &error))?;
    fs::remove_file(&copy).map_err(|error| of(&copy, &error))?;
    restore_rows(home)?;
    write_layout(home)
}

/// Of a platform whose rows are elsewhere there are none.
fn restore_rows(home: &Path) -> Result<(), Problem> {
    let rows = home.join(ONLINE);
    let mut copy = match File::open(&rows) {
        Err(error) if error.kind() == Io::NotFound => return Ok(()),
        other => BufReader::new(other.map_err(|error| unusable(&rows, &error))?),
    };
    OnlineStore::from_copy(&home.join("online"), &mut copy)
        .map_err(|error| Problem::of("the online store in the backup", &error))?;
    fs::remove_file(&rows).map_err(|error| unusable(&rows, &error))
}

/// A folder beside the home, thrown away unless it becomes it.
struct Aside(PathBuf);

impl Aside {
    fn begin(home: &Path) -> Result<Self, Problem> {
        let home = std::path::absolute(home).map_err(|error| unusable(home, &error))?;
        let name = home.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = home.with_file_name(format!(".{name}.restoring"));
        let of = |error: std::io::Error| unusable(&path, &error);
        // Of a restore that was killed.
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != Io::NotFound => return Err(of(error)),
            _ => {}
        }
        let mut folder = fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        folder.recursive(true).create(&path).map_err(of)?;
        Ok(Self(path))
    }

    fn put_at(&self, home: &Path) -> Result<(), Problem> {
        let of = |error: std::io::Error| unusable(home, &error);
        sync_folders(&self.0).map_err(of)?;
        // Over an empty folder, or to where none is.
        fs::rename(&self.0, home).map_err(of)?;
        let parent = std::path::absolute(home).map_err(of)?;
        File::open(parent.parent().unwrap_or(Path::new("/"))).and_then(|folder| folder.sync_all()).map_err(of)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The files are on the disk already; their names are, after this.
fn sync_folders(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all()
}
