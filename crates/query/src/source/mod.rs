//! Sources: finding a dataset's files and reading their rows, a piece at a time.
//!
//! [`find`](find::find) tells which files a path means, without leaving the folders that may be read. [`Opened`] is one of
//! them with the digest of its bytes; [`Opened::pieces`] reads it, whatever it is written as. What a piece holds has the
//! declared columns; rows of text that do not say what is declared are told beside it.

mod arrow;
mod columns;
mod csv;
mod decompress;
mod delta;
pub(crate) mod elsewhere;
mod error;
mod find;
mod jsonl;
pub(crate) mod opened;
mod parquet;
mod pieces;

pub use columns::columns;
pub use elsewhere::{Access, Credentials, ElsewhereError, Host, Hosts, NoHost};
pub use error::SourceError;
pub use find::FoundFile;
pub(crate) use opened::{HashedFiles, Opened};
pub(crate) use pieces::{BATCH_ROWS, Piece, Reading};

use std::path::PathBuf;

use ::arrow::datatypes::SchemaRef;
use bedplate_kinds::{DatasetSource, Format, NEW_FILES_OF_DELTA};
use bedplate_lake::source::BadPattern;

/// The files of a source as they lie there now.
#[derive(Clone, Debug)]
pub struct Found {
    /// In the order of their paths.
    pub files: Vec<FoundFile>,
    /// Of a Delta table: its columns, of which older files may lack some, and its version.
    pub(crate) table: Option<(SchemaRef, i64)>,
}

/// Finds the files of a source. Nothing outside `roots` is looked at, be it by wildcards, links or a table's log.
///
/// # Errors
/// When the path means no file, leads out of the roots, or names a Delta table that cannot be read file by file.
pub async fn find(source: &DatasetSource, roots: &[PathBuf]) -> Result<Found, SourceError> {
    match find::find(source, roots)? {
        find::Place::Files(files) => {
            if source.format == Some(Format::Delta) {
                return Err(SourceError::no_table(&source.path));
            }
            if source.version.is_some() {
                return Err(SourceError::no_table(&source.path));
            }
            Ok(Found { files, table: None })
        }
        find::Place::Table(_) if source.load.is_by_files() => {
            Err(BadPattern { path: source.path.clone(), why: NEW_FILES_OF_DELTA.into() }.into())
        }
        find::Place::Table(location) => delta::find(&location, source.version, roots).await,
    }
}
