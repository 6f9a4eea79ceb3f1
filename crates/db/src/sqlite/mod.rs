//! SQLite: one file, one connection that writes, and as many that read as are wanted.

mod backup;
mod group;
mod migrate;
mod readers;
mod tx;

use std::path::{Path, PathBuf};

pub(crate) use backup::restore;
pub(crate) use readers::Readers;

use crate::writer::Writer;
use crate::{DbError, Migration};

/// Opens the file, brings its schema up to date and starts its writer.
pub(crate) fn open(path: &Path, migrations: &[Migration]) -> Result<(Readers, Writer), DbError> {
    let conn = tx::open_writer(path)?;
    // Readers open the file later, and perhaps from another working directory.
    let path: PathBuf =
        std::path::absolute(path).map_err(|error| DbError::Open { path: path.to_owned(), source: error.into() })?;
    migrate::migrate(&conn, &path, migrations)?;
    let writer = Writer::start(conn).map_err(|error| DbError::Open { path: path.clone(), source: error.into() })?;
    Ok((Readers::new(path), writer))
}
