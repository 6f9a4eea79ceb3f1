//! Delta tables: opening a version, checking its log, and a new version that replaces rows or adds to them.

mod commit;
mod committed;
mod data_file;
mod error;
mod loaded;
mod log;
pub(crate) mod rewrite;
mod table;
mod versions;

pub(crate) use commit::{NewVersion, commit};
pub use committed::{Committed, Watermark};
pub(crate) use committed::{Record, committed, record_of};
pub(crate) use data_file::{DataFile, DataFileWriter, name_in_place_of, sweep};
pub use error::TableError;
pub use loaded::Change;
pub(crate) use loaded::{Loaded, changes_since, loaded};
pub(crate) use table::{Table, exists};
pub use versions::TableVersion;
pub(crate) use versions::{ranges, versions};
