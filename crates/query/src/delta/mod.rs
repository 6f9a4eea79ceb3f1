//! Delta tables: opening a version, checking its log, and committing a new version.

mod commit;
mod committed;
mod data_file;
mod error;
mod log;
mod table;

pub(crate) use commit::{NewVersion, append, overwrite};
pub use committed::Committed;
pub(crate) use committed::{Record, ReleasedFile, committed, record_of};
pub(crate) use data_file::{DataFile, DataFileWriter, sweep};
pub use error::TableError;
pub(crate) use table::{Table, exists};
