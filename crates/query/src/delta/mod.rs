//! Delta tables: opening a version, checking its log, and putting a new version in place of all rows.

mod commit;
mod committed;
mod data_file;
mod error;
mod log;
mod table;

pub(crate) use commit::{NewVersion, overwrite};
pub use committed::Committed;
pub(crate) use committed::{Record, committed};
pub(crate) use data_file::{DataFile, DataFileWriter, sweep};
pub use error::TableError;
pub(crate) use table::{Table, exists};
